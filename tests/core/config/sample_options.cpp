#include "tests/core/config/sample_options.h"

namespace pretrain::testing {

void SourceOptions::visit(OptionVisitor& visitor) {
  visitor.option("path", path,
                 {.meaning = "file or folder", .kind = OptionKind::kPath, .required = true});
  visitor.option("split", split, {.meaning = "split of the corpus"});
  visitor.option("weight", weight, {.meaning = "share", .min = 0});
}

void StopOptions::visit(OptionVisitor& visitor) {
  visitor.option("patience", patience, {.meaning = "evals", .min = 1});
  visitor.option("min_delta", min_delta, {.meaning = "smallest gain", .min = 0});
}

void RunOptions::visit(OptionVisitor& visitor) {
  visitor.option("dir", dir, {.meaning = "run directory", .kind = OptionKind::kPath});
  visitor.option("seed", seed, {.meaning = "key of random streams", .min = 0, .identity = true});
  visitor.option("resume", resume,
                 {.meaning = "what to start from",
                  .kind = OptionKind::kPath,
                  .choices = {"auto", "never", "require"}});
  visitor.option("tags", tags, {.meaning = "copied to the report"});
}

void DataOptions::visit(OptionVisitor& visitor) {
  visitor.option("sequence_length", sequence_length,
                 {.meaning = "row length",
                  .unit = "positions",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = 1 << 24,
                  .identity = true});
  visitor.list("sources", sources, {.meaning = "corpora", .required = true});
  visitor.option("packing", packing, {.meaning = "row layout", .choices = {"packed", "documents"}});
  visitor.option("weights", weights, {.meaning = "mixture", .min = 0, .identity = true});
  visitor.option("shuffle", shuffle, {.meaning = "keyed permutation", .identity = true});
}

void MoeOptions::visit(OptionVisitor& visitor) {
  visitor.option("experts", experts, {.meaning = "0: dense", .min = 0, .max = 4096});
  visitor.option("top_k", top_k, {.meaning = "experts a token", .min = 1});
}

void ModelOptions::visit(OptionVisitor& visitor) {
  visitor.option("layers", layers, {.meaning = "blocks", .min = 1, .max = 10000, .identity = true});
  visitor.option("hidden", hidden, {.meaning = "width", .min = 1, .max = 1 << 20});
  ffn = 4 * hidden;
  visitor.option("ffn", ffn, {.meaning = "inner width", .min = 1, .default_text = "4 x hidden"});
  visitor.option("dropout", dropout, {.meaning = "of outputs", .min = 0, .max = 1});
  visitor.section("moe", moe);
}

void TrainOptions::visit(OptionVisitor& visitor) {
  visitor.option("duration", duration, {.meaning = "how long to train", .required = true});
  visitor.option("warmup", warmup,
                 {.meaning = "rising rate",
                  .choices = {"steps", "tokens", "samples", "epochs", "hours", "fraction"}});
  visitor.option("keep_every", keep_every, {.meaning = "kept for ever", .null_word = "null"});
  visitor.option("micro_batch", micro_batch,
                 {.meaning = "samples", .min = 1, .max = 1 << 20, .null_word = "auto"});
  visitor.section("early_stop", early_stop, {.meaning = "stop rule", .null_word = "null"});
  visitor.option("lr", lr, {.meaning = "peak rate", .min = 0, .max = 1000});
  visitor.option("betas", betas, {.meaning = "decays", .min = 0, .max = 1});
  visitor.option("window", window, {.meaning = "first and last step", .null_word = "null"});
  visitor.option("hook", hook, {.meaning = "command", .null_word = "null"});
  visitor.option("bucket", bucket,
                 {.meaning = "of gradients", .kind = OptionKind::kBytes, .min = 1 << 20});
  visitor.option("save", save, {.meaning = "longest silence", .kind = OptionKind::kTime, .min = 1});
  visitor.option("step", step,
                 {.meaning = "same", .kind = OptionKind::kTime, .min = 0.5, .null_word = "auto"});
  visitor.option("zero", zero, {.meaning = "sharding", .choices = {"0", "1", "2", "3"}});
  visitor.option("prefix", prefix,
                 {.meaning = "part seen", .min = 0, .max = 1, .null_word = "uniform"});
  visitor.option("prometheus", prometheus,
                 {.meaning = "folder", .kind = OptionKind::kPath, .null_word = "null"});
}

void CausalOptions::visit(OptionVisitor& visitor) {
  visitor.option("label_smoothing", label_smoothing,
                 {.meaning = "share", .min = 0, .max = 1, .identity = true});
}

void MaskedOptions::visit(OptionVisitor& visitor) {
  visitor.option("mask_prob", mask_prob,
                 {.meaning = "of positions", .min = 0, .max = 1, .identity = true});
  visitor.option("label_smoothing", label_smoothing,
                 {.meaning = "share", .min = 0, .max = 1, .identity = true});
}

void ObjectiveOptions::visit(OptionVisitor& visitor) {
  visitor.option(
      "name", name,
      {.meaning = "what is learned", .choices = {"causal_lm", "masked_lm"}, .identity = true});
}

ConfigNode read_options(const ConfigNode& root, SampleOptions& options, ErrorList& errors) {
  ConfigNode resolved = ConfigNode::map();
  check_sections(root, {"run", "data", "model", "train", "objective"}, errors);
  const auto read = [&](const char* section, auto& struct_of_section) {
    OptionReader reader(root, section, errors);
    struct_of_section.visit(reader);
    reader.finish();
    resolved.set(section, reader.resolved());
  };
  read("run", options.run);
  read("data", options.data);
  read("model", options.model);
  read("train", options.train);
  OptionReader reader(root, "objective", errors);
  options.objective.visit(reader);
  options.causal.visit(reader);
  reader.finish("causal_lm", {{"mask_prob", {"masked_lm", "replaced_token_detection"}},
                              {"generator.size", {"replaced_token_detection"}}});
  resolved.set("objective", reader.resolved());
  return resolved;
}

const char* const kSampleConfig = R"(# a sample
run: {dir: runs/a, seed: 7, resume: never, tags: {team: "blue #1", n: 5}}
data:
  sequence_length: 1k
  sources:
    - path: data/kjv.h5
      split: train
    - {path: "/abs/web-*.h5", weight: 2.5}
  packing: documents
  weights: {kjv: 1, web: 0.25}
  shuffle: false
model:
  layers: 4
  hidden: 256
  dropout: 1e-1
  moe: {experts: 8, top_k: 2}
train:
  duration: {tokens: 10M}
  warmup: {fraction: 0.02}
  keep_every: {hours: 0.5}
  micro_batch: 8
  early_stop: {patience: 2}
  lr: 5.0e-4
  betas: [0.9, 0.999]
  window: [10, 20]
  hook: [echo, "a: b", ">"]
  bucket: 50MiB
  save: 1h30m
  step: 90s
  zero: 2
  prefix: uniform
  prometheus: null
objective: {name: causal_lm, label_smoothing: 0.1}
)";

}  // namespace pretrain::testing
