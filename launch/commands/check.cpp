#include <sys/statvfs.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "core/base/byte_size.h"
#include "core/base/memory_usage.h"
#include "core/checkpoint/checkpoint_list.h"
#include "core/metrics/number_format.h"
#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/config/open_config.h"
#include "launch/config/plan.h"
#include "launch/device.h"
#include "launch/inputs.h"
#include "launch/network.h"
#include "launch/run_directory.h"
#include "launch/run_init.h"

namespace pretrain {
namespace {

constexpr double kMiB = 1 << 20;

// A line of the report: its label and what it says.
using Report = std::vector<std::pair<std::string, std::string>>;

std::string grouped(double value) {
  std::string text = fixed(value, 0);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string mebibytes(double bytes) { return fixed(bytes / kMiB, bytes < 100 * kMiB ? 1 : 0); }

std::string model_line(const RunConfig& config, Objective& objective, double flops) {
  return concat(config.model.name, ": ", grouped(static_cast<double>(parameter_count(objective))),
                " parameters, ", fixed(flops / 1e6, 1),
                " MFLOP/token (3 x forward, causal attention halved)");
}

std::string batch_line(const BatchLayout& layout, std::int64_t length) {
  const auto sequences = static_cast<double>(layout.sequences());
  return concat(layout.sequences(), " sequences = micro_batch ", layout.micro_batch,
                " x data_ranks ", layout.ranks, " x accumulation ", layout.accumulation, "   (",
                layout.sequences(), " x ", length, " = ",
                grouped(sequences * static_cast<double>(length)), " tokens a step)");
}

std::string duration_line(const TrainingPlan& plan, const RunInputs& inputs, std::int64_t length,
                          double flops_per_row) {
  if (plan.hours > 0) return concat(plan.hours, " hours of wall-clock over all attempts");
  const auto samples = static_cast<double>(planned_samples(plan));
  const double tokens = samples * static_cast<double>(length);
  return concat(plan.steps, " steps = ", grouped(tokens),
                " tokens = ", fixed(samples / static_cast<double>(inputs.rows()), 2), " epochs of ",
                grouped(static_cast<double>(inputs.positions())),
                " training tokens = ", scientific(samples * flops_per_row, 2), " FLOP");
}

void add_data_lines(Report& report, const RunInputs& inputs) {
  for (const auto& corpus : inputs.corpora()) {
    std::string splits;
    for (const auto& split : corpus->split_sizes()) {
      splits += concat(splits.empty() ? "" : ", ", split.name, " ",
                       grouped(static_cast<double>(split.documents)), " documents");
    }
    report.push_back({"data", concat(corpus->path(), ": ", splits, "; max id ", corpus->max_id(),
                                     " < ", corpus->vocab_size(), "; ", inputs.verified)});
  }
  for (std::size_t i = 0; i < inputs.evaluation.size(); ++i) {
    report.push_back({"eval", concat(inputs.set_names[i], ": ",
                                     grouped(static_cast<double>(inputs.evaluation[i]->targets())),
                                     " tokens to score")});
  }
  report.push_back({"tokenizer", concat(inputs.tokenizer->vocab_size(), " tokens, sha256 ",
                                        inputs.tokenizer->sha256().substr(0, 12),
                                        ", equal in config and corpus")});
}

std::string memory_line(const MemoryEstimate& memory, double limit) {
  return concat("MiB: parameters ", mebibytes(memory.parameters), " + gradients ",
                mebibytes(memory.gradients), " + optimizer ", mebibytes(memory.optimizer),
                " + activations ", mebibytes(memory.activations), " + logits ",
                mebibytes(memory.logits), " + runtime ", mebibytes(memory.runtime), " = ",
                mebibytes(memory.total()),
                std::isfinite(limit) ? concat(" of ", mebibytes(limit)) : std::string());
}

// What each source gives, and what its rows are like.
void add_mixture_lines(Report& report, const RunConfig& config, const RunInputs& inputs,
                       const TrainingPlan& plan, const SamplePlan& samples, const RowShape& shape) {
  check_epochs(config, samples, planned_samples(plan));
  for (const std::string& line :
       mixture_text(config, samples, inputs.planned(), plan.batches, planned_samples(plan))) {
    report.push_back({"mixture", line});
  }
  for (const InputSource& source : inputs.sources) {
    report.push_back({"packing", concat(config.data.packing, ": ", source.name, " ",
                                        to_string(row_statistics(packing_named(config.data.packing),
                                                                 source.shards, shape)))});
  }
  for (std::size_t i = 1; i < plan.batches.pieces().size(); ++i) {
    const BatchSchedule::Piece& piece = plan.batches.pieces()[i];
    report.push_back(
        {"batch", concat("from step ", piece.first_step, ": ", piece.sequences, " sequences")});
  }
}

// Free bytes where the run directory will be.
double free_bytes(std::filesystem::path path) {
  path = std::filesystem::absolute(path);
  while (!std::filesystem::exists(path) && path.has_parent_path()) path = path.parent_path();
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0) return 0;
  return static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize);
}

std::string disk_line(const RunConfig& config, const MemoryEstimate& memory) {
  const double save = memory.parameters + memory.optimizer;
  const auto kept =
      static_cast<double>(config.checkpoint.keep_last + config.checkpoint.keep_best + 1);
  const double free = free_bytes(config.run.dir);
  if (free < config.checkpoint.free_space * save) {
    fail(ExitCode::kCannotCreate, config.run.dir, ": a save needs ",
         format_bytes(static_cast<std::uint64_t>(save)), ", ",
         format_bytes(static_cast<std::uint64_t>(free)),
         " are free. Free space or use another run.dir");
  }
  return concat("checkpoint ", mebibytes(save), " MiB x (keep_last ", config.checkpoint.keep_last,
                " + keep_best ", config.checkpoint.keep_best,
                " + 1 being written) = ", mebibytes(save * kept), " MiB; free ",
                format_bytes(static_cast<std::uint64_t>(free)));
}

// What a start would find in the run directory.
std::string run_line(const RunConfig& config, const TrainingPlan& plan, const SamplePlan& samples) {
  const std::string& dir = config.run.dir;
  if (!std::filesystem::is_directory(dir + "/checkpoints")) return dir + ": new";
  for (const CheckpointEntry& entry : list_checkpoints(dir, VerifyMode::kSizes)) {
    if (!entry.valid) continue;
    const CheckpointReader checkpoint(dir + "/checkpoints/" + entry.name);
    check_identity(config, checkpoint);
    check_samples(config, samples, checkpoint);
    const auto step = static_cast<std::int64_t>(entry.step);
    const bool done = plan.hours > 0 ? checkpoint.state().hours >= plan.hours : step >= plan.steps;
    return concat(dir, ": ", done ? "done, at step " : "goes on from step ", step);
  }
  return dir + ": holds no valid checkpoint";
}

Report check(RunConfig config, std::int64_t world, std::int64_t per_node) {
  RunInputs inputs = open_inputs(config);
  const c10::Device cpu(c10::kCPU);
  const at::ScalarType compute = compute_type(config, cpu);
  config.settle("precision", "compute", compute == at::kFloat ? "fp32" : "bf16");
  const auto objective =
      build_objective(config, *inputs.tokenizer, compute, c10::Device(c10::kMeta));
  check_initial_weights(config, *objective,
                        config.model.vocab_size.value_or(inputs.tokenizer->vocab_size()));
  cut_rows(inputs, config, *objective);
  const auto host_limit = memory_limit_bytes();
  const double limit =
      host_limit ? static_cast<double>(*host_limit) / static_cast<double>(per_node) : INFINITY;
  const BatchSchedule batches = batch_schedule(config, global_sequences(config));
  const BatchLayout layout = plan_batch(config, world, [&](std::int64_t micro_batch) {
    return estimate_memory(config, *objective, compute, micro_batch).total() <= 0.9 * limit;
  });
  const std::int64_t length = config.data.sequence_length;
  const double flops = objective->flops_per_token(length);
  const TrainingPlan plan = make_plan(config, batches, inputs.rows(), flops);
  const SamplePlan samples = sample_plan(config, batches, inputs.planned());
  const MemoryEstimate memory = estimate_memory(config, *objective, compute, layout.micro_batch);
  Report report;
  report.push_back({"model", model_line(config, *objective, flops)});
  report.push_back({"batch", batch_line(layout, length)});
  report.push_back({"duration", duration_line(plan, inputs, length,
                                              flops * objective->positions_per_row(length))});
  report.push_back({"run", run_line(config, plan, samples)});
  report.push_back({"parallel", concat("world ", world, ", ", per_node, " a node")});
  add_data_lines(report, inputs);
  add_mixture_lines(report, config, inputs, plan, samples, objective->row_shape());
  report.push_back({"precision", compute == at::kFloat ? "fp32" : "bf16, masters fp32"});
  report.push_back({"memory/rank", memory_line(memory, limit)});
  report.push_back({"disk", disk_line(config, memory)});
  if (memory.total() > limit) {
    fail(ExitCode::kOutOfMemory, "a rank needs about ", mebibytes(memory.total()), " MiB, ",
         mebibytes(limit), " MiB are there. Lower train.micro_batch ", layout.micro_batch,
         "; the batch stays");
  }
  return report;
}

}  // namespace

ExitCode run_check(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Says what FILE would do and whether it can start: exit 0, or the code it would\n"
      "end with. Trains nothing.",
      "pretrain check");
  std::string file;
  std::int64_t world = 1;
  std::int64_t per_node = 0;
  app.add_option("FILE", file, "configuration (YAML), or the directory of a run")->required();
  within(app.add_option("--world", world, "ranks to plan for"), std::int64_t{1},
         std::int64_t{1} << 20)
      ->capture_default_str();
  within(app.add_option("--per-node", per_node, "ranks on one host (default: all)"),
         std::int64_t{1}, std::int64_t{1} << 20);
  app.footer("Example: pretrain check configs/quickstart.yaml --world 2");
  const SplitWords words = split_overrides(arguments);
  if (!parse(app, words.others, process)) return ExitCode::kOk;
  const RunConfig config = open_config(file, words.overrides);
  if (config.run.device == "cuda") device_of(config, process);
  for (auto [label, text] : check(config, world, per_node > 0 ? per_node : world)) {
    label.append(label.size() < 12 ? 12 - label.size() : 0, ' ');
    std::cout << label << text << "\n";
  }
  std::cout << "ok          config sha256 " << config_sha256(config) << "\n";
  return ExitCode::kOk;
}

}  // namespace pretrain
