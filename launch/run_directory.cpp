#include "launch/run_directory.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/files/directory.h"
#include "core/base/logging.h"
#include "core/config/config_loader.h"
#include "core/metrics/environment.h"
#include "launch/process/versions.h"

namespace pretrain {

namespace {

// The checkpoint's config with all options of this program.
ConfigNode options_of(const CheckpointReader& checkpoint) {
  const ConfigNode text =
      parse_config_text(checkpoint.config_yaml(), checkpoint.path() + "/config.resolved.yaml");
  try {
    return read_config(text, "").resolved;
  } catch (const Error&) {  // an option that is no more; the comparison names it
    return text;
  }
}

ConfigNode* find(ConfigNode& map, std::string_view key) {
  for (ConfigNode::Entry& entry : map.entries()) {
    if (entry.key == key) return &entry.node;
  }
  return nullptr;
}

// `now` without what was appended to two lists that may grow.
ConfigNode without_appended(ConfigNode now, ConfigNode before, const DataOptions& data) {
  for (const char* key : {"phases", "sources"}) {
    ConfigNode* is = find(*find(now, "data"), key);
    ConfigNode* was = find(before, "data");
    if (was != nullptr) was = find(*was, key);
    if (is == nullptr || was == nullptr || !was->is_list()) continue;
    while (is->items().size() > was->items().size()) {
      // A source with a share of its own would change the samples from the start.
      const bool is_source = key == std::string_view("sources");
      if (is_source && data.sources[is->items().size() - 1].weight != 0.0) break;
      is->items().pop_back();
    }
  }
  return now;
}

}  // namespace

void check_identity(const RunConfig& config, const CheckpointReader& checkpoint) {
  const ConfigNode before = options_of(checkpoint);
  const ConfigNode now = without_appended(config.resolved, before, config.data);
  const auto changes = identity_changes(before, now, config.run.allow_change);
  if (changes.empty()) return;
  const auto& [key, was, is] = changes.front();
  fail(ExitCode::kBadConfig, config.place(key), key, " was ", was, " in ", checkpoint.path(),
       ", is ", is, ". Use another run.dir or run.allow_change=[", key, "]");
}

void check_samples(const RunConfig& config, const SamplePlan& samples,
                   const CheckpointReader& checkpoint) {
  const auto& allowed = config.run.allow_change;
  if (std::find(allowed.begin(), allowed.end(), "data.phases") != allowed.end()) return;
  const TrainingState& state = checkpoint.state();
  const std::vector<std::uint64_t> now = samples.consumed(state.data.samples);
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool is_new = i >= state.data.sources.size();
    const std::uint64_t was = is_new ? 0 : state.data.sources[i].samples;
    if (was == now[i]) continue;
    fail(ExitCode::kBadConfig, config.place("data.phases"), "data: of the first ",
         state.data.samples, " samples (", state.step, " steps, ", checkpoint.path(), ") ", was,
         " were of ", config.data.sources[i].name, ", now ", now[i],
         " would be. Let what is new begin in a phase from step ", state.step,
         " on, or use another run.dir");
  }
}

namespace {

void check_data(const CheckpointReader& checkpoint, const std::vector<std::string>& fingerprints,
                const std::string& tokenizer_sha256) {
  if (checkpoint.manifest().tokenizer_sha256 != tokenizer_sha256) {
    fail(ExitCode::kBadData, checkpoint.path(), ": trained with tokenizer sha256 ",
         checkpoint.manifest().tokenizer_sha256, ", the corpus has ", tokenizer_sha256,
         ". Use another run.dir or the corpus it was trained on");
  }
  const std::vector<std::string>& before = checkpoint.manifest().corpora;
  if (before.size() > fingerprints.size() ||
      !std::equal(before.begin(), before.end(), fingerprints.begin())) {
    fail(ExitCode::kBadData, "data.sources: the corpora are not those that ", checkpoint.path(),
         " was trained on (their fingerprints differ). Use another run.dir or the same corpora");
  }
}

void keep_as_attempt(const Directory& directory, const std::string& name, std::int64_t attempt) {
  if (directory.exists(name)) {
    directory.rename(name, concat(name, ".attempt", attempt));
  }
}

}  // namespace

RunDirectory::RunDirectory(const RunConfig& config, Process& process)
    : process_(process), path_(config.run.dir) {
  agree(process.control(), [&] {
    if (process.rank() != 0) return;
    RunLockOptions options;
    options.stale_seconds = config.reliability.lock_stale;
    if (const char* job = std::getenv("SLURM_JOB_ID")) options.job = job;
    options.log = [](const std::string& text) { log_warning(text); };
    try {
      Directory::create(path_);
      lock_ = std::make_unique<RunLock>(path_, options);
    } catch (const Error& error) {
      if (error.code() == ExitCode::kLocked) throw;
      fail(error.code(), "run.dir ", path_, " cannot be used: ", error.what(),
           ". Use another run.dir");
    }
    const Directory directory = Directory::open(path_);
    while (directory.exists(concat("config.resolved.yaml.attempt", attempt_))) ++attempt_;
    if (directory.exists("config.resolved.yaml")) ++attempt_;
  });
  process.control().broadcast(&attempt_, 1, DataType::kI64, 0);
}

void RunDirectory::require_lock() {
  if (lock_) lock_->require();
}

std::optional<RunDirectory::Resume> RunDirectory::find_resume(
    const RunConfig& config, const std::vector<std::string>& fingerprints,
    const std::string& tokenizer_sha256) {
  const auto found = find_checkpoint(process_.control(), path_, config.run.resume,
                                     config.checkpoint.verify_mode());
  if (!found) return std::nullopt;
  Resume resume{*found, nullptr};
  agree(process_.control(), [&] {
    resume.checkpoint = std::make_unique<CheckpointReader>(found->path);
    check_identity(config, *resume.checkpoint);
    check_data(*resume.checkpoint, fingerprints, tokenizer_sha256);
  });
  return resume;
}

void RunDirectory::write_start_files(const RunConfig& config, const std::string& given_text) {
  RankPlace place;
  place.host = process_.host();
  place.threads = at::get_num_threads();
  place.cpus = allowed_cpus();
  const auto hosts = all_gather_text(process_.control(), place.host);
  const auto cpus = all_gather_text(process_.control(), place.cpus);
  const auto threads = all_gather_text(process_.control(), concat(place.threads));
  agree(process_.control(), [&] {
    if (process_.rank() != 0) return;
    const Directory directory = Directory::open(path_);
    const std::int64_t previous = attempt_ - 1;
    keep_as_attempt(directory, "config.resolved.yaml", previous);
    keep_as_attempt(directory, "env.json", previous);
    directory.replace_text("config.yaml", given_text);
    directory.replace_text("config.resolved.yaml", config.text());
    directory.replace_text("config.sha256", config_sha256(config) + "  config.resolved.yaml\n");
    Environment environment;
    environment.versions = component_versions();
    for (std::size_t r = 0; r < hosts.size(); ++r) {
      environment.ranks.push_back({hosts[r], std::stoi(threads[r]), cpus[r], ""});
    }
    environment.launcher = process_.launcher();
    environment.variables = listed_variables();
    write_environment(path_ + "/env.json", environment);
  });
}

}  // namespace pretrain
