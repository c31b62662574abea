#include "launch/config/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "launch/config/data_plan.h"

namespace pretrain {
namespace {

constexpr double kMostSteps = 1e15;
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

std::string nearest_batches(std::int64_t sequences, std::int64_t multiple) {
  const std::int64_t below = sequences / multiple * multiple;
  if (below == 0) return concat(multiple);
  return concat(below, ", ", below + multiple);
}

// The other ways out: a smaller micro batch, or, where no micro batch helps, other numbers of
// ranks.
std::string other_ways(std::int64_t sequences, std::int64_t ranks, std::int64_t micro_batch) {
  if (sequences % ranks == 0) {
    std::int64_t fitting = std::min(micro_batch, sequences / ranks);
    while (sequences / ranks % fitting != 0) --fitting;
    return concat(". Or set train.micro_batch=", fitting);
  }
  std::string text;
  for (std::int64_t d = 1; d <= std::min<std::int64_t>(sequences, 64); ++d) {
    if (sequences % d == 0) text += concat(text.empty() ? "" : ", ", d);
  }
  return concat(". Or start a number of ranks that divides ", sequences, ": ", text);
}

[[noreturn]] void refuse_batch(const RunConfig& config, std::int64_t sequences,
                               const std::string& micro_batch, std::int64_t multiple,
                               std::int64_t ranks) {
  const double quotient = static_cast<double>(sequences) / static_cast<double>(multiple);
  const bool tokens = config.train.global_batch_tokens.has_value();
  const std::int64_t length = config.data.sequence_length;
  std::ostringstream accumulation;
  accumulation.precision(3);
  accumulation << quotient;
  if (!tokens) {
    fail(ExitCode::kBadConfig, config.place("train.global_batch_sequences"),
         "train.global_batch_sequences ", sequences, " = micro_batch ", micro_batch,
         " x data_ranks ", ranks, " x accumulation ", accumulation.str(),
         ": not whole. Nearest: ", nearest_batches(sequences, multiple),
         other_ways(sequences, ranks, multiple / ranks));
  }
  const std::int64_t below = sequences / multiple * multiple * length;
  fail(ExitCode::kBadConfig, config.place("train.global_batch_tokens"),
       "train.global_batch_tokens ", sequences * length, " / sequence_length ", length, " = ",
       sequences, " sequences = micro_batch ", micro_batch, " x data_ranks ", ranks,
       " x accumulation ", accumulation.str(), ": not whole. Nearest: ",
       below == 0 ? concat(multiple * length) : concat(below, ", ", below + multiple * length),
       other_ways(sequences, ranks, multiple / ranks));
}

Cadence cadence(const Span& span, const BatchSchedule& batches, std::int64_t length,
                std::uint64_t rows) {
  if (span.unit == Span::Unit::kHours) return {0, span.value};
  return {cadence_steps(span, batches, length, rows), 0};
}

void check_later_batches(const RunConfig& config, const BatchSchedule& batches,
                         std::int64_t multiple, const std::string& micro_batch,
                         std::int64_t ranks) {
  for (std::size_t i = 1; i < batches.pieces().size(); ++i) {
    const std::int64_t sequences = batches.pieces()[i].sequences;
    if (sequences % multiple == 0) continue;
    fail(ExitCode::kBadConfig, config.place("schedule.batch"), "schedule.batch entry ", i,
         ": global_batch_sequences ", sequences, " = micro_batch ", micro_batch, " x data_ranks ",
         ranks, " x accumulation: not whole. Nearest: ", nearest_batches(sequences, multiple));
  }
}

Schedule make_schedule(const RunConfig& config, const TrainingPlan& plan,
                       const std::function<std::int64_t(const Span&, std::int64_t)>& steps) {
  Schedule schedule;
  schedule.shape = schedule_shape(config.schedule.name);
  schedule.peak = config.optimizer.lr;
  schedule.min_ratio = config.schedule.min_lr_ratio;
  schedule.total = config.schedule.total ? steps(*config.schedule.total, 0) : plan.steps;
  const bool needs_total = schedule.shape != Schedule::Shape::kConstant &&
                           schedule.shape != Schedule::Shape::kInverseSqrt;
  const bool fraction = config.schedule.warmup.unit == Span::Unit::kFraction;
  if (schedule.total == kUnlimited && (needs_total || fraction)) {
    fail(ExitCode::kBadConfig, config.place("train.duration"),
         "schedule.total: required, as train.duration is given in hours and ",
         needs_total ? "schedule.name " + config.schedule.name : "schedule.warmup",
         " needs a number of steps. Give schedule.total={steps: N}");
  }
  schedule.warmup = steps(config.schedule.warmup, schedule.total);
  schedule.decay =
      schedule.shape == Schedule::Shape::kWsd ? steps(config.schedule.decay, schedule.total) : 0;
  return schedule;
}

}  // namespace

std::int64_t global_sequences(const RunConfig& config) {
  const TrainOptions& train = config.train;
  if (train.global_batch_tokens.has_value() == train.global_batch_sequences.has_value()) {
    fail(ExitCode::kBadConfig, config.place("train"),
         "train: ", train.global_batch_tokens ? "both" : "none",
         " of global_batch_tokens and global_batch_sequences given. Give exactly one");
  }
  if (train.global_batch_sequences) return *train.global_batch_sequences;
  const std::int64_t length = config.data.sequence_length;
  if (*train.global_batch_tokens % length != 0) {
    fail(ExitCode::kBadConfig, config.place("train.global_batch_tokens"),
         "train.global_batch_tokens ", *train.global_batch_tokens,
         " is not a multiple of data.sequence_length ", length,
         ". Nearest: ", nearest_batches(*train.global_batch_tokens, length));
  }
  return *train.global_batch_tokens / length;
}

BatchLayout plan_batch(const RunConfig& config, std::int64_t ranks,
                       const std::function<bool(std::int64_t)>& fits) {
  const std::int64_t sequences = global_sequences(config);
  const BatchSchedule batches = batch_schedule(config, sequences);
  BatchLayout layout;
  layout.ranks = ranks;
  if (config.train.micro_batch) {
    layout.micro_batch = *config.train.micro_batch;
    const std::int64_t multiple = layout.micro_batch * ranks;
    if (sequences % multiple != 0) {
      refuse_batch(config, sequences, concat(layout.micro_batch), multiple, ranks);
    }
    check_later_batches(config, batches, multiple, concat(layout.micro_batch), ranks);
  } else {
    if (sequences % ranks != 0) refuse_batch(config, sequences, "auto", ranks, ranks);
    check_later_batches(config, batches, ranks, "auto", ranks);
    std::int64_t own = 0;
    for (const BatchSchedule::Piece& piece : batches.pieces()) {
      own = std::gcd(own, piece.sequences / ranks);
    }
    layout.micro_batch = own;
    while (layout.micro_batch > 1 && (own % layout.micro_batch != 0 || !fits(layout.micro_batch))) {
      --layout.micro_batch;
    }
  }
  layout.accumulation = sequences / ranks / layout.micro_batch;
  return layout;
}

std::int64_t span_steps(const Span& span, const BatchSchedule& batches, std::int64_t length,
                        std::uint64_t rows, std::int64_t total) {
  double steps = 0;
  switch (span.unit) {
    case Span::Unit::kSteps:
      steps = span.value;
      break;
    case Span::Unit::kTokens:
      steps = batches.steps(span.value / static_cast<double>(length));
      break;
    case Span::Unit::kSamples:
      steps = batches.steps(span.value);
      break;
    case Span::Unit::kEpochs:
      steps = batches.steps(span.value * static_cast<double>(rows));
      break;
    case Span::Unit::kFraction:
      steps = span.value * static_cast<double>(total);
      break;
    case Span::Unit::kHours:
      fail(ExitCode::kInternal, "hours have no number of steps");
  }
  if (!(steps <= kMostSteps)) {
    fail(ExitCode::kBadConfig, "a span of ", to_string(span), " is ", steps,
         " steps, expected at most ", kMostSteps);
  }
  return static_cast<std::int64_t>(std::ceil(steps));
}

std::int64_t cadence_steps(const Span& span, const BatchSchedule& batches, std::int64_t length,
                           std::uint64_t rows) {
  return span_steps(span, BatchSchedule(batches.pieces().back().sequences), length, rows, 0);
}

std::uint64_t planned_samples(const TrainingPlan& plan) {
  if (plan.hours > 0) return 0;
  return plan.batches.first_sample(static_cast<std::uint64_t>(plan.steps));
}

TrainingPlan make_plan(const RunConfig& config, const BatchSchedule& batches, std::uint64_t rows,
                       double flops_per_token) {
  const std::int64_t length = config.data.sequence_length;
  const auto steps = [&](const Span& span, std::int64_t total) {
    return span_steps(span, batches, length, rows, total);
  };
  TrainingPlan plan;
  const Span& duration = config.train.duration;
  plan.steps = duration.unit == Span::Unit::kHours ? kUnlimited : steps(duration, 0);
  plan.hours = duration.unit == Span::Unit::kHours ? duration.value : 0;
  plan.batches = batches;
  plan.flops_per_token = flops_per_token;
  plan.schedule = make_schedule(config, plan, steps);
  plan.clip_norm = config.optimizer.clip_norm;
  plan.report = cadence(config.logging.every, batches, length, rows);
  plan.evaluate = cadence(config.eval.every, batches, length, rows);
  plan.save = cadence(config.checkpoint.every, batches, length, rows);
  if (config.eval.samples) plan.sample = cadence(config.eval.samples->every, batches, length, rows);
  plan.evaluate_at_start = config.eval.at_start;
  plan.evaluate_at_end = config.eval.at_end;
  plan.stop_if_nonfinite = config.reliability.nonfinite == "stop";
  plan.max_consecutive_skips = config.reliability.max_consecutive_skips;
  return plan;
}

}  // namespace pretrain
