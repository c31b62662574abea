#include "launch/inputs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/base/digest.h"
#include "core/data/corpus/corpus_builder.h"
#include "core/data/shards.h"
#include "core/text/tokenizer_check.h"

namespace pretrain {
namespace {

std::set<std::string> path_set(const std::string& path) {
  const std::vector<std::string> shards = shard_paths(path);
  return {shards.begin(), shards.end()};
}

// What `auto` means is decided for all files of the run together: the limit is one for the host.
CorpusVerification verification(const RunConfig& config) {
  const std::string& name = config.data.verify;
  if (name == "full") return CorpusVerification::kFull;
  if (name == "sizes") return CorpusVerification::kSizes;
  std::set<std::string> paths;
  for (const DataSource& source : config.data.sources) paths.merge(path_set(source.path));
  for (const EvaluationSource& source : config.eval.sets) paths.merge(path_set(source.path));
  std::uint64_t bytes = 0;
  for (const std::string& path : paths) {
    std::error_code missing;  // opening the file says so
    const auto size = std::filesystem::file_size(path, missing);
    if (!missing) bytes += size;
  }
  return bytes <= kFullVerifyBytes ? CorpusVerification::kFull : CorpusVerification::kSampled;
}

const char* verified_text(CorpusVerification mode) {
  if (mode == CorpusVerification::kFull) return "every byte verified";
  if (mode == CorpusVerification::kSampled) return "tables and 1 % of the blocks verified";
  return "sizes verified, digests not";
}

bool has_split(const Corpus& corpus, const std::string& split) {
  const std::vector<std::string> names = corpus.splits();
  return std::find(names.begin(), names.end(), split) != names.end();
}

// The sets the config lists; if it lists none, the split `valid` of each source that has one.
std::vector<EvaluationSource> evaluation_sources(const RunConfig& config, const RunInputs& inputs) {
  if (!config.eval.sets.empty()) return config.eval.sets;
  std::vector<EvaluationSource> sources;
  for (std::size_t i = 0; i < inputs.sources.size(); ++i) {
    EvaluationSource source;
    const std::vector<CorpusSplit>& shards = inputs.sources[i].shards;
    if (std::none_of(shards.begin(), shards.end(), [&](const CorpusSplit& shard) {
          return has_split(*shard.corpus, source.split);
        })) {
      continue;
    }
    source.path = config.data.sources[i].path;
    source.name = config.data.sources[i].name;
    sources.push_back(source);
  }
  return sources;
}

void check_tokenizer(const RunConfig& config, const RunInputs& inputs) {
  const std::string digest = inputs.tokenizer->sha256();
  for (const auto& corpus : inputs.corpora()) {
    if (corpus->tokenizer_sha256() == digest) continue;
    fail(ExitCode::kBadData, corpus->path(), ": built with tokenizer sha256 ",
         corpus->tokenizer_sha256(), ", but ",
         config.tokenizer.path ? "tokenizer.path " + *config.tokenizer.path : "the tokenizer",
         " has ", digest, ". Build the corpus again with it or correct tokenizer.path");
  }
}

// Metrics, the best checkpoint and TensorBoard tags go by name.
template <class Sources>
void check_names(const Sources& sources, const std::string& key) {
  std::map<std::string, std::string> paths;
  for (const auto& source : sources) {
    const auto [other, is_new] = paths.try_emplace(source.name, source.path);
    if (is_new) continue;
    fail(ExitCode::kBadConfig, key, ": ", other->second, " and ", source.path,
         " have the same name ", source.name, ". Give each one its own `name:`");
  }
}

void check_prompts(const RunConfig& config, const Tokenizer& tokenizer) {
  if (!config.eval.samples) return;
  const std::vector<std::string>& prompts = config.eval.samples->prompts;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::vector<std::uint32_t> ids;
    std::string fault;
    try {
      tokenizer.encode(prompts[i], ids);
      if (ids.empty()) fault = "is empty";
    } catch (const Error& error) {
      fault = error.what();
    }
    if (fault.empty()) continue;
    fail(ExitCode::kBadConfig, config.place("eval.samples"), "eval.samples.prompts[", i,
         "]: ", fault, ". Give a text that the tokenizer of the corpus knows");
  }
}

// Options that ask where documents end.
void check_ends(const RunConfig& config, const RunInputs& inputs) {
  const char* key = config.data.document_mask       ? "data.document_mask"
                    : config.data.wrap == "bos_eos" ? "data.wrap"
                                                    : nullptr;
  if (key == nullptr) return;
  for (const auto& corpus : inputs.corpora()) {
    if (corpus->eos_id() >= 0) continue;
    fail(ExitCode::kBadConfig, config.place(key), key, ": no token closes the documents of ",
         corpus->path(), ". Build the corpus with --eos");
  }
}

}  // namespace

std::vector<EvaluationSet> RunInputs::evaluation_sets() const {
  std::vector<EvaluationSet> sets;
  const bool lossless = is_lossless(*tokenizer);
  for (std::size_t i = 0; i < evaluation.size(); ++i) {
    sets.push_back({set_names[i], evaluation[i].get(), lossless});
  }
  return sets;
}

std::vector<std::shared_ptr<const Corpus>> RunInputs::corpora() const {
  std::vector<std::shared_ptr<const Corpus>> all;
  for (const InputSource& source : sources) {
    for (const CorpusSplit& shard : source.shards) all.push_back(shard.corpus);
  }
  return all;
}

std::vector<const Dataset*> RunInputs::datasets() const {
  std::vector<const Dataset*> all;
  for (const InputSource& source : sources) all.push_back(source.rows.get());
  return all;
}

std::vector<PlannedSource> RunInputs::planned() const {
  std::vector<PlannedSource> all;
  for (const InputSource& source : sources) {
    all.push_back({source.rows->size(), source.rows->positions(), source.rows->group()});
  }
  return all;
}

std::uint64_t RunInputs::rows() const {
  std::uint64_t sum = 0;
  for (const InputSource& source : sources) sum += source.rows->size();
  return sum;
}

std::uint64_t RunInputs::positions() const {
  std::uint64_t sum = 0;
  for (const InputSource& source : sources) sum += source.rows->positions();
  return sum;
}

bool RunInputs::is_cold() const {
  const auto all = corpora();
  return !std::all_of(all.begin(), all.end(),
                      [](const auto& corpus) { return corpus->is_resident(); });
}

std::vector<std::string> RunInputs::fingerprints() const {
  std::vector<std::string> all;
  for (const InputSource& source : sources) all.push_back(source.fingerprint());
  return all;
}

std::string InputSource::fingerprint() const {
  if (shards.size() == 1) return shards.front().corpus->fingerprint();
  std::string all;
  for (const CorpusSplit& shard : shards) all += shard.corpus->fingerprint() + "\n";
  return sha256_hex(all);
}

RunInputs open_inputs(const RunConfig& config, VerifyShare share,
                      const ProgressFunction& progress) {
  if (config.data.sources.empty()) {
    fail(ExitCode::kBadConfig, config.place("data.sources"),
         "data.sources: expected at least one corpus, got none. "
         "Make one: pretrain corpus build NAME.h5 --tokenizer byte TEXT");
  }
  check_names(config.data.sources, "data.sources");
  check_data_options(config);
  const CorpusVerification mode = verification(config);
  std::map<std::string, std::shared_ptr<const Corpus>> opened;  // a file is verified once
  const auto open = [&](const std::string& path, const std::string& split) {
    std::vector<CorpusSplit> shards;
    for (const std::string& shard : shard_paths(path)) {
      auto& corpus = opened[shard];
      if (!corpus) corpus = Corpus::open(shard, mode, progress, share);
      shards.push_back({corpus, split});
    }
    return shards;
  };
  RunInputs inputs;
  inputs.verified = verified_text(mode);
  for (const DataSource& source : config.data.sources) {
    inputs.sources.push_back({source.name, open(source.path, source.split), nullptr});
  }
  const Corpus& first = *inputs.sources.front().shards.front().corpus;
  inputs.tokenizer =
      config.tokenizer.path ? open_tokenizer(*config.tokenizer.path) : first.load_tokenizer();
  check_same_tokenizer(inputs.corpora());
  check_tokenizer(config, inputs);
  check_prompts(config, *inputs.tokenizer);
  check_ends(config, inputs);
  const auto evaluation = evaluation_sources(config, inputs);
  check_names(evaluation, "eval.sets");
  for (const EvaluationSource& source : evaluation) {
    std::vector<CorpusSplit> shards = open(source.path, source.split);
    // A small shard may have no documents for the set; if none has, opening the set says so.
    const auto lacks = [&](const CorpusSplit& shard) {
      return !has_split(*shard.corpus, source.split);
    };
    if (!std::all_of(shards.begin(), shards.end(), lacks)) std::erase_if(shards, lacks);
    for (const CorpusSplit& shard : shards) {
      check_same_tokenizer({inputs.sources.front().shards.front().corpus, shard.corpus});
    }
    inputs.evaluation_shards.push_back(std::move(shards));
    inputs.set_names.push_back(source.name);
  }
  return inputs;
}

void cut_rows(RunInputs& inputs, const RunConfig& config, const Objective& objective) {
  const RowShape row = objective.row_shape();
  const Packing packing = packing_named(config.data.packing);
  const bool parts =
      std::any_of(config.data.phases.begin(), config.data.phases.end(),
                  [](const DataPhase& phase) { return phase.sequence_length.has_value(); });
  if (!row.pieces && (packing != Packing::kPacked || parts)) {
    const std::string key = packing != Packing::kPacked ? "data.packing" : "data.phases";
    fail(ExitCode::kBadConfig, config.place(key), key,
         packing != Packing::kPacked ? " " + config.data.packing : " with a sequence_length",
         ": objective.name ", config.objective.name,
         " takes whole rows only. Remove it, or choose one objective without pairs of "
         "sentences");
  }
  for (InputSource& source : inputs.sources) {
    source.rows = pack_rows(packing, source.shards, row);
    if (objective.needs_others() && source.rows->size() == 1) {
      fail(ExitCode::kBadConfig, config.place("data.sequence_length"),
           "data.sequence_length: ", config.data.sequence_length, " cuts ", source.name,
           " into 1 row, objective ", config.objective.name,
           " pairs texts of two: expected at least 2. Lower it, add text, or set "
           "objective.next_sentence=false");
    }
  }
  const auto sources = evaluation_sources(config, inputs);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    std::optional<std::uint64_t> limit;
    if (sources[i].max_tokens) limit = static_cast<std::uint64_t>(*sources[i].max_tokens);
    inputs.evaluation.push_back(std::make_unique<EvaluationDataset>(
        inputs.evaluation_shards[i], static_cast<std::uint64_t>(row.stride()), limit,
        static_cast<std::uint64_t>(row.overlap)));
  }
}

}  // namespace pretrain
