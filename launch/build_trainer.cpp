#include "launch/build_trainer.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/base/logging.h"
#include "core/base/memory_usage.h"
#include "core/config/config_loader.h"
#include "core/metrics/jsonl_writer.h"
#include "core/metrics/number_format.h"
#include "core/run/snapshot.h"
#include "launch/config/plan.h"
#include "launch/device.h"
#include "launch/network.h"
#include "launch/process/versions.h"
#include "launch/progress_line.h"
#include "launch/run_init.h"
#include "launch/step_outputs.h"
#include "parallel/flat_reducer.h"

namespace pretrain {
namespace {

// A command that shows what the trained model does.
std::string first_look(ModelKind kind, const std::string& run) {
  switch (kind) {
    case ModelKind::kEncoder:
      return concat("pretrain generate ", run, " --prompt \"a text with a [MASK] in it\"");
    case ModelKind::kEncoderDecoder:
      return concat("pretrain generate ", run, " --prompt \"a text with <extra_id_0> in it\"");
    case ModelKind::kReplacedTokens:
      return concat("pretrain score ", run, " \"a text\"");
    case ModelKind::kDecoder:
      break;
  }
  return concat("pretrain generate ", run, " --prompt TEXT");
}

// What memory one rank may use: its share of the host's limit. Empty where that is not known.
std::optional<double> memory_limit(const Process& process) {
  const auto limit = memory_limit_bytes();
  if (!limit) return std::nullopt;
  return static_cast<double>(*limit) / process.local_size();
}

CheckpointerSetup checkpointer_setup(const RunConfig& config, const RunInputs& inputs,
                                     const RunDirectory& directory, int world,
                                     const TrainingPlan& plan) {
  CheckpointerSetup setup;
  setup.run_dir = directory.path();
  setup.identity.config_yaml = config.text();
  setup.identity.identity_sha256 = identity_sha256(config);
  setup.identity.tokenizer_json = inputs.tokenizer->to_json();
  setup.identity.tokenizer_sha256 = inputs.tokenizer->sha256();
  setup.identity.corpora = inputs.fingerprints();
  setup.identity.mesh.data = world;
  setup.identity.machine = {at::get_num_threads(), at::get_cpu_capability()};
  setup.identity.code = {program_version(), "", libtorch_version()};
  setup.retention.keep_last = config.checkpoint.keep_last;
  setup.retention.keep_best = config.checkpoint.keep_best;
  if (config.checkpoint.keep_every) {
    setup.retention.keep_every_steps = static_cast<std::uint64_t>(cadence_steps(
        *config.checkpoint.keep_every, plan.batches, config.data.sequence_length, inputs.rows()));
  }
  if (!inputs.set_names.empty()) setup.retention.best_set = inputs.set_names.front();
  setup.max_failures = config.checkpoint.max_failures;
  setup.free_space = config.checkpoint.free_space;
  return setup;
}

TrainingState first_state(const RunConfig& config, const RunInputs& inputs) {
  TrainingState state;
  state.seed = static_cast<std::uint64_t>(config.run.seed);
  state.data.order_key = concat(config.data.shuffle ? "feistel-" : "sequential-", config.run.seed);
  for (const InputSource& source : inputs.sources) {
    state.data.sources.push_back({source.name, source.fingerprint(), 0});
  }
  return state;
}

}  // namespace

// In the order in which they are made; each may borrow from those above.
struct TrainingRun::Parts {
  Parts(const RunConfig& run_config, Process& run_process)
      : config(run_config), process(run_process) {}

  void build(const std::string& given_config);
  void make_layout();
  std::string mixture_line() const;
  void keep_micro_batch(const CheckpointReader& checkpoint);
  void load(const std::optional<RunDirectory::Resume>& resume);
  void make_recorder(const std::optional<RunDirectory::Resume>& resume);
  std::vector<std::string> banner(const std::optional<RunDirectory::Resume>& resume) const;
  TrainerParts trainer_parts();
  void failed(const std::exception& caught, const TrainingState& at);

  RunConfig config;
  Process& process;
  c10::Device device{c10::kCPU};
  at::ScalarType compute = at::kFloat;
  RunInputs inputs;
  std::unique_ptr<Communicator> group;
  std::unique_ptr<Objective> objective;
  BatchLayout layout;
  TrainingPlan plan;
  std::unique_ptr<SamplePlan> samples;
  std::unique_ptr<RunDirectory> directory;
  std::unique_ptr<FlatBuffer> parameters;
  std::unique_ptr<Optimizer> optimizer;
  TrainingState state;
  std::optional<double> peak_flops;
  std::unique_ptr<RunRecorder> recorder;
  std::unique_ptr<Checkpointer> checkpointer;
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<FlatReducer> reducer;
  std::unique_ptr<DataLoader> loader;
  std::unique_ptr<Trainer> trainer;
};

void TrainingRun::Parts::build(const std::string& given_config) {
  Communicator& control = process.control();
  const int threads = static_cast<int>(config.run.threads.value_or(process.threads_per_rank()));
  at::set_num_threads(threads);
  agree(control, [&] {
    device = device_of(config, process);
    compute = compute_type(config, device);
    config.settle("precision", "compute", compute == at::kFloat ? "fp32" : "bf16");
    ProgressLine progress;
    inputs = open_inputs(config,
                         {static_cast<std::uint64_t>(process.local_rank()),
                          static_cast<std::uint64_t>(process.local_size())},
                         process.rank() == 0 ? progress.function() : ProgressFunction());
    objective = build_objective(config, *inputs.tokenizer, compute, device);
    check_initial_weights(config, *objective,
                          config.model.vocab_size.value_or(inputs.tokenizer->vocab_size()));
    cut_rows(inputs, config, *objective);
    make_layout();
  });
  agree(control, [&] { group = build_communicator(config, device, process); });
  directory = std::make_unique<RunDirectory>(config, process);
  const auto resume =
      directory->find_resume(config, inputs.fingerprints(), inputs.tokenizer->sha256());
  agree(control, [&] {
    if (resume) {
      keep_micro_batch(*resume->checkpoint);
      check_samples(config, *samples, *resume->checkpoint);
    }
    load(resume);
  });
  directory->write_start_files(config, given_config);
  make_recorder(resume);
  for (const std::string& line : banner(resume)) recorder->print(line);
  checkpointer = std::make_unique<Checkpointer>(control, [&] {
    CheckpointerSetup setup = checkpointer_setup(config, inputs, *directory, process.world(), plan);
    setup.before_publish = [this] {
      for (const auto& corpus : inputs.corpora()) {
        if (const auto warning = corpus->check_unchanged()) log_warning(*warning);
      }
      recorder->sync();
      directory->require_lock();
    };
    return setup;
  }());
  if (resume) checkpointer->resumed_from(state);
  const Snapshot snapshot = take_snapshot(*parameters, *optimizer, process.rank(), process.world());
  if (const auto warning = checkpointer->check_space(snapshot.model, snapshot.optimizer)) {
    if (process.rank() == 0) log_warning(*warning);
  }
  evaluator = std::make_unique<Evaluator>(*objective, control, inputs.evaluation_sets(),
                                          config.eval.micro_batch.value_or(layout.micro_batch));
  reducer = std::make_unique<FlatReducer>(*group);
  ReadAhead ahead;
  ahead.steps = std::max(
      {std::int64_t{1}, config.data.io_threads, config.data.prefetch / layout.accumulation});
  ahead.threads = config.data.io_threads;
  ahead.announce = inputs.is_cold();
  loader = std::make_unique<DataLoader>(BatchReader(inputs.datasets(), *samples, *objective),
                                        layout, plan.batches, process.rank(), ahead);
  trainer = std::make_unique<Trainer>(trainer_parts(), plan, state);
}

void TrainingRun::Parts::make_layout() {
  const double limit = memory_limit(process).value_or(INFINITY);
  const BatchSchedule batches = batch_schedule(config, global_sequences(config));
  layout = plan_batch(config, process.world(), [&](std::int64_t micro_batch) {
    return estimate_memory(config, *objective, compute, micro_batch).total() <= 0.9 * limit;
  });
  config.settle("train", "micro_batch", concat(layout.micro_batch));
  plan = make_plan(config, batches, inputs.rows(),
                   objective->flops_per_token(config.data.sequence_length));
  samples = std::make_unique<SamplePlan>(sample_plan(config, batches, inputs.planned()));
  check_epochs(config, *samples, planned_samples(plan));
}

// What `auto` chose once stays for this number of ranks, as it decides the order of sums.
void TrainingRun::Parts::keep_micro_batch(const CheckpointReader& checkpoint) {
  if (config.train.micro_batch || checkpoint.manifest().world != process.world()) return;
  const ConfigNode before = parse_config_text(checkpoint.config_yaml(), checkpoint.path());
  const ConfigNode* train = before.find("train");
  const ConfigNode* micro_batch = train == nullptr ? nullptr : train->find("micro_batch");
  if (micro_batch == nullptr || !micro_batch->is_scalar()) return;
  config.train.micro_batch = std::atoll(micro_batch->text().c_str());
  make_layout();
}

void TrainingRun::Parts::load(const std::optional<RunDirectory::Resume>& resume) {
  if (!resume) objective->model().initialize(static_cast<std::uint64_t>(config.run.seed));
  parameters = std::make_unique<FlatBuffer>(*objective);
  optimizer = build_optimizer(config, *parameters);
  state = first_state(config, inputs);
  if (!resume && config.run.init) {
    load_initial_weights(config, *objective, *parameters);
  }
  if (resume) {
    load_snapshot(*resume->checkpoint, *parameters, *optimizer);
    const DataCursor cursor = state.data;
    state = resume->checkpoint->state();
    state.data.sources = cursor.sources;  // some may have been appended, or renamed
    const auto consumed = samples->consumed(state.samples);
    for (std::size_t i = 0; i < consumed.size(); ++i) {
      state.data.sources[i].samples = consumed[i];
    }
    state.lineage = resume->found.lineage;
  }
  state.attempt = static_cast<std::uint64_t>(directory->attempt());
}

void TrainingRun::Parts::make_recorder(const std::optional<RunDirectory::Resume>& resume) {
  agree(process.control(), [&] {
    start_logging(directory->path(), process.rank(), process.host(),
                  log_level(config.logging.level));
    RecorderSetup setup;
    setup.run_dir = directory->path();
    setup.host = process.host();
    setup.attempt = directory->attempt();
    if (plan.hours == 0) setup.steps = plan.steps;
    // An earlier start that saved nothing leaves lines too; this one begins before step 0.
    if (resume || directory->attempt() > 1) {
      setup.resumed_at = resume ? static_cast<std::int64_t>(state.step) : -1;
      if (process.rank() == 0) cut_back(directory->path() + "/samples.jsonl", *setup.resumed_at);
    }
    peak_flops = config.logging.peak_flops;
    if (!peak_flops) peak_flops = measure_peak_flops(compute, device);
    setup.peak_flops = peak_flops;
    if (const auto limit = memory_limit(process)) setup.memory_limit_gib = *limit / (1 << 30);
    if (resume)
      setup.checkpoint = {static_cast<std::int64_t>(state.step), resume->found.path, utc_seconds()};
    setup.flops_per_token = plan.flops_per_token;
    setup.samples_per_epoch = static_cast<double>(inputs.rows());
    for (std::size_t p = 0; p < samples->phases(); ++p) {
      const double first = plan.batches.steps(static_cast<double>(samples->first_sample(p)));
      setup.phases[static_cast<std::int64_t>(first)] =
          phase_text(config, *samples, inputs.planned(), p);
    }
    setup.terms = objective->terms();
    setup.logging = config.logging;
    recorder = std::make_unique<RunRecorder>(setup, process.control());
  });
}

std::string TrainingRun::Parts::mixture_line() const {
  std::string line;
  for (const std::string& part :
       mixture_text(config, *samples, inputs.planned(), plan.batches, planned_samples(plan))) {
    line += (line.empty() ? "mixture     " : "; ") + part;
  }
  return line;
}

std::vector<std::string> TrainingRun::Parts::banner(
    const std::optional<RunDirectory::Resume>& resume) const {
  const auto step = static_cast<std::int64_t>(state.step);
  recorder->event(resume ? "resume" : "run_start", step, resume ? resume->found.path : "");
  std::vector<std::string> lines;
  lines.push_back(concat("pretrain ", program_version(), ": ", config.objective.name, " on ",
                         config.model.name, ", ",
                         with_unit(static_cast<double>(parameters->parameter_count())),
                         " parameters, ", compute == at::kFloat ? "fp32" : "bf16"));
  lines.push_back(concat("world       ", process.world(), " ranks on ", device.str(), " by ",
                         backend_name(config, device, process.world()),
                         "; threads of rank 0: ", at::get_num_threads(), ", ", process.binding()));
  lines.push_back(concat("batch       ", layout.sequences(), " sequences = micro_batch ",
                         layout.micro_batch, " x data_ranks ", layout.ranks, " x accumulation ",
                         layout.accumulation, "; x ", config.data.sequence_length, " = ",
                         layout.sequences() * config.data.sequence_length, " tokens a step"));
  lines.push_back(concat("mfu         useful FLOP/s / peak; useful = tokens/s x ",
                         scientific(plan.flops_per_token, 2),
                         " (3 x forward, causal attention halved); peak of a rank ",
                         peak_flops ? scientific(*peak_flops, 2) : "not known",
                         config.logging.peak_flops ? "" : ", measured now"));
  const double epochs =
      static_cast<double>(planned_samples(plan)) / static_cast<double>(inputs.rows());
  lines.push_back(plan.hours > 0 ? concat("duration    ", plan.hours, " hours")
                                 : concat("duration    ", plan.steps, " steps = ", fixed(epochs, 2),
                                          " epochs of ", inputs.positions(), " tokens"));
  if (inputs.sources.size() > 1 || samples->phases() > 1) lines.push_back(mixture_line());
  lines.push_back(
      concat("run         ", directory->path(), " (attempt ", directory->attempt(), ")"));
  if (resume) {
    for (const RejectedCheckpoint& rejected : resume->found.rejected) {
      recorder->event("fallback", step, rejected.path + ": " + rejected.reason);
      if (process.rank() == 0) log_warning(rejection_warning(rejected, resume->found));
    }
    const MachineShape now{at::get_num_threads(), at::get_cpu_capability()};
    const MachineShape& then = resume->checkpoint->manifest().machine;
    const bool same_world = resume->checkpoint->manifest().world == process.world();
    if (process.rank() == 0 && same_world && then != now) {
      log_warning(concat("resume: the checkpoint was written with ", then.threads,
                         " threads a rank on ", then.cpu, ", now ", now.threads, " on ", now.cpu,
                         ": the run goes on, but not bit for bit as if unbroken"));
    }
    const std::string place = resume->checkpoint->path();
    for (const OptionChange& change : option_changes(
             parse_config_text(resume->checkpoint->config_yaml(), place), config.resolved)) {
      lines.push_back(concat("changed     ", change.key, " ", change.before, " -> ", change.now));
      recorder->event("config_change", step, change.key,
                      {{"before", change.before}, {"now", change.now}});
    }
    lines.push_back(concat("resume      ", resume->found.path, ", step ", step, ", ",
                           resume->checkpoint->manifest().world, " ranks then"));
  }
  return lines;
}

TrainerParts TrainingRun::Parts::trainer_parts() {
  const auto sample = [this](std::int64_t step) {
    if (process.rank() == 0) {
      write_samples(directory->path(), config, *objective, *inputs.tokenizer, step);
    }
  };
  const auto dump = [this](const std::vector<Batch>& batches, std::int64_t step) {
    const auto& steps = config.debug.dump_batches;
    if (steps.size() != 2 || step < steps[0] || step > steps[1]) return;
    dump_step(directory->path(), batches, *parameters, step, process.rank());
  };
  return {
      *objective, *parameters, *optimizer,    *reducer,  process.control(),
      *loader,    *evaluator,  *checkpointer, *recorder, [this] { return process.stop_request(); },
      sample,     dump};
}

// An error of one rank alone ends the job before rank 0 hears of it, so that rank has the last
// word.
void TrainingRun::Parts::failed(const std::exception& caught, const TrainingState& at) {
  const bool agreed = dynamic_cast<const AgreedError*>(&caught) != nullptr;
  const Error error = as_error(caught);
  try {
    if (recorder) recorder->ended(error.code(), error.what(), at, !agreed);
  } catch (const Error& second) {
    log_warning(second.what());  // the first error is the one to leave with
  }
}

TrainingRun::TrainingRun(const RunConfig& config, Process& process, const std::string& given_config)
    : parts_(std::make_unique<Parts>(config, process)) {
  try {
    parts_->build(given_config);
  } catch (const std::exception& error) {
    parts_->failed(error, parts_->state);
    throw;
  }
}

TrainingRun::~TrainingRun() = default;

ExitCode TrainingRun::run() {
  RunRecorder& recorder = *parts_->recorder;
  const Trainer& trainer = *parts_->trainer;
  try {
    const ExitCode code = parts_->trainer->run();
    const TrainingState& state = trainer.state();
    const bool done = code == ExitCode::kOk;
    recorder.ended(code, done ? "target reached" : "stopped on request", state);
    recorder.print(concat(done ? "done" : "stopped", " at step ", state.step, ": ",
                          parts_->directory->path()));
    if (state.best) {
      recorder.print(concat("best        step ", state.best->step, ", loss ",
                            fixed(state.best->loss, 4), " on ", state.best->set));
    }
    recorder.print("next        " +
                   (done ? first_look(parts_->objective->model().kind(), parts_->directory->path())
                         : std::string("the same command goes on from here")));
    return code;
  } catch (const std::exception& error) {
    parts_->failed(error, trainer.state());
    throw;
  }
}

}  // namespace pretrain
