#include "launch/config/eval_options.h"

#include <filesystem>

namespace pretrain {
namespace {

constexpr double kMaxCount = 1e15;

// Cadences of what happens inside the loop; hours only where one rank's clock may decide.
const std::vector<const char*> kStepUnits{"steps", "tokens", "samples", "epochs"};

}  // namespace

void EvaluationSource::visit(OptionVisitor& visitor) {
  visitor.option("path", path,
                 {.meaning = "corpus file (.h5)", .kind = OptionKind::kPath, .required = true});
  name = std::filesystem::path(path).stem().string();
  visitor.option("name", name, {.meaning = "label in metrics", .default_text = "file's stem"});
  visitor.option("split", split, {.meaning = "part of the corpus"});
  visitor.option("max_tokens", max_tokens,
                 {.meaning = "only the first whole documents within so many tokens",
                  .unit = "tokens",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = kMaxCount,
                  .null_word = "null"});
}

void SampleOptions::visit(OptionVisitor& visitor) {
  visitor.option("every", every, {.meaning = "cadence", .choices = kStepUnits});
  visitor.option("prompts", prompts, {.meaning = "texts to continue", .required = true});
  visitor.option(
      "tokens", tokens,
      {.meaning = "length of a continuation", .unit = "tokens", .min = 1, .max = 1 << 20});
  visitor.option("temperature", temperature,
                 {.meaning = "0: most likely token", .min = 0, .max = 100});
}

void EvalOptions::visit(OptionVisitor& visitor) {
  visitor.option("every", every, {.meaning = "cadence", .choices = kStepUnits});
  visitor.option("at_start", at_start, {.meaning = "also before the first step"});
  visitor.option("at_end", at_end, {.meaning = "also after the last step"});
  visitor.option("micro_batch", micro_batch,
                 {.meaning = "rows of a rank in one forward",
                  .unit = "samples",
                  .min = 1,
                  .max = 1 << 24,
                  .default_text = "as in training",
                  .null_word = "auto"});
  visitor.list("sets", sets,
               {.meaning = "whole documents, every token scored once",
                .default_text = "split valid of each source"});
  visitor.section("samples", samples,
                  {.meaning = "text the model writes, into samples.jsonl", .null_word = "null"});
}

}  // namespace pretrain
