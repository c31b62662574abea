#include "core/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace pretrain {

void BatchChange::visit(OptionVisitor& visitor) {
  visitor.option("from", from,
                 {.meaning = "where it begins: at the first whole step",
                  .choices = {"steps", "tokens", "samples"},
                  .required = true,
                  .identity = true});
  visitor.option("global_batch_sequences", global_batch_sequences,
                 {.meaning = "samples of a step from there on = micro_batch x data_ranks x "
                             "accumulation",
                  .unit = "samples",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = 1e15,
                  .required = true,
                  .identity = true});
}

void ScheduleOptions::visit(OptionVisitor& visitor) {
  visitor.option("name", name,
                 {.meaning = "shape of the learning rate after warm-up",
                  .choices = {"constant", "linear", "cosine", "wsd", "inverse_sqrt"}});
  visitor.option("min_lr_ratio", min_lr_ratio,
                 {.meaning = "lowest learning rate", .unit = "of lr", .min = 0, .max = 1});
  visitor.option("warmup", warmup,
                 {.meaning = "linear rise from 0",
                  .choices = {"steps", "tokens", "samples", "epochs", "fraction"}});
  visitor.option("decay", decay,
                 {.meaning = "linear fall at the end of wsd",
                  .choices = {"steps", "tokens", "samples", "epochs", "fraction"}});
  visitor.option("total", total,
                 {.meaning = "length of the schedule",
                  .choices = {"steps", "tokens", "samples", "epochs"},
                  .default_text = "train.duration",
                  .null_word = "null"});
  visitor.list("batch", batch,
               {.meaning = "later global batches, in order: batch warm-up; train.global_batch_* is "
                           "the first"});
}

Schedule::Shape schedule_shape(const std::string& name) {
  if (name == "constant") return Schedule::Shape::kConstant;
  if (name == "linear") return Schedule::Shape::kLinear;
  if (name == "cosine") return Schedule::Shape::kCosine;
  if (name == "wsd") return Schedule::Shape::kWsd;
  if (name == "inverse_sqrt") return Schedule::Shape::kInverseSqrt;
  fail(ExitCode::kBadConfig, "schedule.name: ", name, " is not known");
}

double Schedule::learning_rate(std::int64_t step) const {
  const double s = static_cast<double>(std::min(step, std::max(total, warmup)));
  const double w = static_cast<double>(warmup);
  const double length = static_cast<double>(std::max<std::int64_t>(total - warmup, 1));
  if (step <= warmup) return peak * s / w;
  double ratio = 1;
  switch (shape) {
    case Shape::kConstant:
      break;
    case Shape::kLinear:
      ratio = min_ratio + (1 - min_ratio) * (1 - (s - w) / length);
      break;
    case Shape::kCosine:
      ratio =
          min_ratio + (1 - min_ratio) * 0.5 * (1 + std::cos(std::numbers::pi * (s - w) / length));
      break;
    case Shape::kWsd:
      ratio =
          min_ratio + (1 - min_ratio) *
                          std::min(1.0, static_cast<double>(total - std::min(step, total)) /
                                            static_cast<double>(std::max<std::int64_t>(decay, 1)));
      break;
    case Shape::kInverseSqrt:
      ratio = std::max(min_ratio, std::sqrt(std::max(w, 1.0) / s));
      break;
  }
  return peak * ratio;
}

}  // namespace pretrain
