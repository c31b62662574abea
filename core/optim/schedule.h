#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/option_visitor.h"
#include "core/config/span.h"

namespace pretrain {

/// A change of the global batch.
struct BatchChange {
  Span from;
  std::int64_t global_batch_sequences = 0;
  void visit(OptionVisitor& visitor);
};

/// Options of the section `schedule`.
struct ScheduleOptions {
  std::string name = "cosine";
  double min_lr_ratio = 0.1;
  Span warmup{Span::Unit::kFraction, 0.01};
  Span decay{Span::Unit::kFraction, 0.1};
  std::optional<Span> total;
  std::vector<BatchChange> batch;

  void visit(OptionVisitor& visitor);
};

/// Learning rate as a pure function of the step. With s the step (1 = first update), W warmup
/// steps, S total steps, D decay steps, floor f = min_lr_ratio:
///   warm-up (s <= W): s / W, whatever the shape
///   constant:     1
///   linear:       f + (1 - f) (S - s) / (S - W)
///   cosine:       f + (1 - f) (1 + cos(pi (s - W) / (S - W))) / 2
///   wsd:          1 until S - D, then linear to f at S
///   inverse_sqrt: sqrt(max(W, 1) / s), not below f
/// From S on the last value holds.
struct Schedule {
  enum class Shape { kConstant, kLinear, kCosine, kWsd, kInverseSqrt };
  Shape shape = Shape::kConstant;
  double peak = 0;
  double min_ratio = 0;
  std::int64_t warmup = 0;
  std::int64_t decay = 0;
  std::int64_t total = 1;

  double learning_rate(std::int64_t step) const;
};

/// `name` is one of the values of schedule.name.
Schedule::Shape schedule_shape(const std::string& name);

}  // namespace pretrain
