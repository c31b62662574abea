#include "core/checkpoint/checkpoint_options.h"

namespace pretrain {

void CheckpointOptions::visit(OptionVisitor& visitor) {
  visitor.option(
      "every", every,
      {.meaning = "how often a checkpoint is saved; also at the end and on preemption", .min = 0});
  visitor.option("keep_last", keep_last, {.meaning = "newest checkpoints that are kept", .min = 2});
  visitor.option(
      "keep_best", keep_best,
      {.meaning = "checkpoints with the lowest evaluation loss that are kept", .min = 0});
  visitor.option(
      "keep_every", keep_every,
      {.meaning = "checkpoints at its multiples are kept for ever", .min = 0, .null_word = "null"});
  visitor.option("max_failures", max_failures,
                 {.meaning = "failed saves in a row that end the run with 73", .min = 1});
  visitor.option(
      "free_space", free_space,
      {.meaning = "disk space that must be free before a save", .unit = "x its size", .min = 1});
  visitor.option("verify", verify,
                 {.meaning = "when loading: digests of every byte, or sizes only",
                  .choices = {"full", "sizes"}});
}

VerifyMode CheckpointOptions::verify_mode() const {
  return verify == "full" ? VerifyMode::kFull : VerifyMode::kSizes;
}

}  // namespace pretrain
