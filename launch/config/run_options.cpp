#include "launch/config/run_options.h"

namespace pretrain {
namespace {

constexpr double kMaxCount = 1e15;

}  // namespace

void RunOptions::visit(OptionVisitor& visitor) {
  visitor.option("name", name, {.meaning = "label", .default_text = "FILE's stem"});
  dir = "runs/" + name;
  visitor.option("dir", dir,
                 {.meaning = "run directory; the same command again resumes it",
                  .kind = OptionKind::kPath,
                  .default_text = "runs/${run.name}"});
  visitor.option(
      "seed", seed,
      {.meaning = "key of every random stream", .min = 0, .max = 9e15, .identity = true});
  visitor.option("resume", resume,
                 {.meaning = "auto: newest valid checkpoint; never: start in an empty directory "
                             "only; require: 65 if there is none; or a checkpoint directory"});
  visitor.option(
      "device", device,
      {.meaning = "auto: CUDA if present and built in", .choices = {"auto", "cpu", "cuda"}});
  visitor.option("threads", threads,
                 {.meaning = "threads of a rank; auto: the cores bound to it",
                  .unit = "cores",
                  .min = 1,
                  .max = 1024,
                  .null_word = "auto"});
  visitor.option("init", init,
                 {.meaning = "run, checkpoint or Hugging Face folder whose weights a fresh run "
                             "starts from; counters at 0",
                  .kind = OptionKind::kPath,
                  .null_word = "null"});
  visitor.option("allow_change", allow_change,
                 {.meaning = "identity options that this start may change"});
}

void TokenizerOptions::visit(OptionVisitor& visitor) {
  visitor.option("path", path,
                 {.meaning = "tokenizer.json; must be the one the corpus was made with",
                  .kind = OptionKind::kPath,
                  .default_text = "the corpus's sidecar",
                  .null_word = "null"});
}

void ModelSection::visit(OptionVisitor& visitor) {
  visitor.option("name", name, {.meaning = "architecture", .identity = true});
  visitor.option("vocab_size", vocab_size,
                 {.meaning = "tokens that can be predicted; at least the tokenizer's",
                  .unit = "tokens",
                  .min = 1,
                  .max = 1 << 24,
                  .default_text = "tokenizer's",
                  .null_word = "auto",
                  .identity = true});
}

void ObjectiveSection::visit(OptionVisitor& visitor) {
  visitor.option("name", name, {.meaning = "what is learned", .identity = true});
}

void OptimizerSection::visit(OptionVisitor& visitor) {
  visitor.option("name", name, {.meaning = "update rule", .identity = true});
  visitor.option("lr", lr, {.meaning = "peak learning rate", .min = 0, .max = 1e3});
  visitor.option(
      "weight_decay", weight_decay,
      {.meaning = "decoupled; on tensors of two or more dimensions", .min = 0, .max = 1e3});
  visitor.option("clip_norm", clip_norm,
                 {.meaning = "largest global gradient norm; 0: off", .min = 0, .max = 1e9});
}

void TrainOptions::visit(OptionVisitor& visitor) {
  visitor.option("duration", duration,
                 {.meaning = "length of the run; may grow on resume",
                  .choices = {"steps", "tokens", "samples", "epochs", "hours"},
                  .required = true});
  visitor.option("global_batch_tokens", global_batch_tokens,
                 {.meaning = "positions of one step: sequences x sequence_length; give this or "
                             "global_batch_sequences",
                  .unit = "positions",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = kMaxCount,
                  .default_text = "one of the two required",
                  .null_word = "null",
                  .identity = true});
  visitor.option("global_batch_sequences", global_batch_sequences,
                 {.meaning = "samples of one step = micro_batch x data_ranks x accumulation",
                  .unit = "samples",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = kMaxCount,
                  .default_text = "one of the two required",
                  .null_word = "null",
                  .identity = true});
  visitor.option("micro_batch", micro_batch,
                 {.meaning = "samples of a rank in one forward; auto: as memory allows",
                  .unit = "samples",
                  .min = 1,
                  .max = 1 << 24,
                  .null_word = "auto"});
  visitor.option(
      "recompute", recompute,
      {.meaning = "full: a block's activations are made again for its backward pass (t5: of "
                  "the encoder alone)",
       .choices = {"none", "full"}});
}

void ParallelOptions::visit(OptionVisitor& visitor) {
  visitor.option("backend", backend,
                 {.meaning = "communicator; auto: nccl on CUDA, mpi on CPUs, local alone"});
}

void PrecisionOptions::visit(OptionVisitor& visitor) {
  visitor.option("compute", compute,
                 {.meaning = "type of matrix products; masters are fp32; auto: bf16 where the "
                             "hardware multiplies it",
                  .choices = {"auto", "fp32", "bf16"},
                  .identity = true});
}

void ReliabilityOptions::visit(OptionVisitor& visitor) {
  visitor.option("nonfinite", nonfinite,
                 {.meaning = "a step with NaN or Inf: leave it out, or end with 76",
                  .choices = {"skip", "stop"}});
  visitor.option(
      "max_consecutive_skips", max_consecutive_skips,
      {.meaning = "so many in a row end the run with 76", .unit = "steps", .min = 1, .max = 1e6});
  visitor.option("lock_stale", lock_stale,
                 {.meaning = "a lock of another host without a beat for so long is taken over",
                  .unit = "s",
                  .kind = OptionKind::kTime,
                  .min = 1,
                  .max = 86400});
}

void DebugOptions::visit(OptionVisitor& visitor) {
  visitor.option("dump_batches", dump_batches,
                 {.meaning = "[first, last] step whose inputs, targets and global gradients are "
                             "written to dumps/ as safetensors",
                  .unit = "steps"});
}

}  // namespace pretrain
