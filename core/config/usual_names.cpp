#include "core/config/usual_names.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace pretrain {
namespace {

struct UsualName {
  std::vector<std::string_view> others;  // the last part of a key
  std::string_view ours;
};

const std::vector<UsualName>& usual_names() {
  static const std::vector<UsualName> names{
      {{"steps", "max_steps", "num_steps", "total_steps", "train_steps", "iterations", "max_iters"},
       "train.duration: {steps: N}"},
      {{"epochs", "num_epochs", "max_epochs", "num_train_epochs"}, "train.duration: {epochs: N}"},
      {{"batch_size", "global_batch_size", "train_batch_size", "global_batch"},
       "train.global_batch_sequences"},
      {{"micro_batch_size", "device_batch_size", "per_device_train_batch_size"},
       "train.micro_batch"},
      {{"gradient_accumulation_steps", "grad_accum", "accumulation", "accumulate_grad_batches"},
       "train.global_batch_sequences (= micro_batch x ranks x accumulation)"},
      {{"learning_rate", "lr", "max_lr", "peak_lr"}, "optimizer.lr"},
      {{"min_lr", "min_learning_rate", "lr_min"}, "schedule.min_lr_ratio"},
      {{"warmup", "warmup_steps", "warmup_iters", "num_warmup_steps"},
       "schedule.warmup: {steps: N}"},
      {{"lr_scheduler", "lr_schedule", "lr_decay_style", "scheduler"}, "schedule.name"},
      {{"weight_decay", "wd"}, "optimizer.weight_decay"},
      {{"grad_clip", "clip_grad", "max_grad_norm", "gradient_clip_val", "clip_norm"},
       "optimizer.clip_norm"},
      {{"beta1", "beta2", "adam_beta1", "adam_beta2"}, "optimizer.betas: [0.9, 0.95]"},
      {{"n_layer", "n_layers", "num_layers", "num_hidden_layers", "depth"}, "model.layers"},
      {{"n_head", "n_heads", "num_heads", "num_attention_heads"}, "model.heads"},
      {{"n_embd", "d_model", "hidden_size", "dim", "embed_dim", "n_embed", "width"},
       "model.hidden"},
      {{"d_ff", "ffn_dim", "intermediate_size", "ffn_hidden_size", "n_inner"}, "model.ffn"},
      {{"block_size", "seq_len", "seq_length", "sequence_len", "context_length", "max_seq_len",
        "max_seq_length", "max_length", "n_ctx", "context"},
       "data.sequence_length"},
      {{"save_every", "save_interval", "save_steps", "checkpoint_every", "checkpoint_interval"},
       "checkpoint.every: {steps: N}"},
      {{"eval_every", "eval_interval", "eval_steps"}, "eval.every: {steps: N}"},
      {{"log_every", "log_interval", "logging_steps"}, "logging.every: {steps: N}"},
      {{"data_path", "train_data", "dataset", "train_files", "corpus", "path"},
       "data.sources: [{path: NAME.h5}]"},
      {{"output_dir", "out_dir", "save_dir"}, "run.dir"},
      {{"seed", "random_seed"}, "run.seed"},
      {{"device"}, "run.device"},
      {{"threads", "num_threads"}, "run.threads"},
      {{"dtype", "precision", "bf16", "fp16", "amp"}, "precision.compute"},
      {{"mlm_probability", "mask_rate", "masking_prob"}, "objective.mask_prob"},
      {{"type", "arch", "architecture", "model_type"}, "model.name"},
      {{"training", "trainer"}, "train"},
      {{"optim"}, "optimizer"},
      {{"loss", "task"}, "objective"},
      {{"validation", "evaluation"}, "eval"},
  };
  return names;
}

}  // namespace

std::string usual_name(const std::string& key) {
  const std::string last = key.substr(key.rfind('.') + 1);
  for (const UsualName& name : usual_names()) {
    if (std::find(name.others.begin(), name.others.end(), last) == name.others.end()) continue;
    return name.ours == key ? "" : std::string(name.ours);
  }
  return {};
}

}  // namespace pretrain
