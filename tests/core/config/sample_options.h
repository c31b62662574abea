#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/option_reader.h"

namespace pretrain::testing {

/// Options with a row of every kind, named as users meet them.
struct SourceOptions {
  std::string path;
  std::string split = "train";
  std::optional<double> weight;
  void visit(OptionVisitor& visitor) {
    visitor.option("path", path,
                   {.meaning = "file or folder", .kind = OptionKind::kPath, .required = true});
    visitor.option("split", split, {.meaning = "split of the corpus"});
    visitor.option("weight", weight, {.meaning = "share", .min = 0});
  }
};

struct StopOptions {
  std::int64_t patience = 3;
  double min_delta = 0;
  void visit(OptionVisitor& visitor) {
    visitor.option("patience", patience, {.meaning = "evals", .min = 1});
    visitor.option("min_delta", min_delta, {.meaning = "smallest gain", .min = 0});
  }
};

struct RunOptions {
  std::string dir = "runs/x";
  std::int64_t seed = 1;
  std::string resume = "auto";
  std::map<std::string, std::string> tags;
  void visit(OptionVisitor& visitor) {
    visitor.option("dir", dir, {.meaning = "run directory", .kind = OptionKind::kPath});
    visitor.option("seed", seed, {.meaning = "key of random streams", .min = 0, .identity = true});
    visitor.option("resume", resume,
                   {.meaning = "what to start from",
                    .kind = OptionKind::kPath,
                    .choices = {"auto", "never", "require"}});
    visitor.option("tags", tags, {.meaning = "copied to the report"});
  }
};

struct DataOptions {
  std::int64_t sequence_length = 1024;
  std::vector<SourceOptions> sources;
  std::string packing = "packed";
  std::map<std::string, double> weights;
  bool shuffle = true;
  void visit(OptionVisitor& visitor) {
    visitor.option("sequence_length", sequence_length,
                   {.meaning = "row length",
                    .unit = "positions",
                    .kind = OptionKind::kCount,
                    .min = 1,
                    .max = 1 << 24,
                    .identity = true});
    visitor.list("sources", sources, {.meaning = "corpora", .required = true});
    visitor.option("packing", packing,
                   {.meaning = "row layout", .choices = {"packed", "documents"}});
    visitor.option("weights", weights, {.meaning = "mixture", .min = 0, .identity = true});
    visitor.option("shuffle", shuffle, {.meaning = "keyed permutation", .identity = true});
  }
};

struct MoeOptions {
  std::int64_t experts = 0;
  std::int64_t top_k = 2;
  void visit(OptionVisitor& visitor) {
    visitor.option("experts", experts, {.meaning = "0: dense", .min = 0, .max = 4096});
    visitor.option("top_k", top_k, {.meaning = "experts a token", .min = 1});
  }
};

struct ModelOptions {
  std::int64_t layers = 12;
  std::int64_t hidden = 768;
  std::int64_t ffn = 0;
  double dropout = 0;
  MoeOptions moe;
  void visit(OptionVisitor& visitor) {
    visitor.option("layers", layers,
                   {.meaning = "blocks", .min = 1, .max = 10000, .identity = true});
    visitor.option("hidden", hidden, {.meaning = "width", .min = 1, .max = 1 << 20});
    ffn = 4 * hidden;
    visitor.option("ffn", ffn, {.meaning = "inner width", .min = 1, .default_text = "4 x hidden"});
    visitor.option("dropout", dropout, {.meaning = "of outputs", .min = 0, .max = 1});
    visitor.section("moe", moe);
  }
};

struct TrainOptions {
  Span duration;
  Span warmup{Span::Unit::kFraction, 0.01};
  std::optional<Span> keep_every;
  std::optional<std::int64_t> micro_batch;
  std::optional<StopOptions> early_stop;
  double lr = 3e-4;
  std::vector<double> betas = {0.9, 0.95};
  std::vector<std::int64_t> window;
  std::vector<std::string> hook;
  std::int64_t bucket = 25 << 20;
  std::int64_t save = 1800;
  std::optional<double> step;
  std::int64_t zero = 1;
  std::optional<double> prefix;
  std::optional<std::string> prometheus;
  void visit(OptionVisitor& visitor) {
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
    visitor.option("save", save,
                   {.meaning = "longest silence", .kind = OptionKind::kTime, .min = 1});
    visitor.option("step", step,
                   {.meaning = "same", .kind = OptionKind::kTime, .min = 0.5, .null_word = "auto"});
    visitor.option("zero", zero, {.meaning = "sharding", .choices = {"0", "1", "2", "3"}});
    visitor.option("prefix", prefix,
                   {.meaning = "part seen", .min = 0, .max = 1, .null_word = "uniform"});
    visitor.option("prometheus", prometheus,
                   {.meaning = "folder", .kind = OptionKind::kPath, .null_word = "null"});
  }
};

struct CausalOptions {
  double label_smoothing = 0;
  void visit(OptionVisitor& visitor) {
    visitor.option("label_smoothing", label_smoothing,
                   {.meaning = "share", .min = 0, .max = 1, .identity = true});
  }
};

struct MaskedOptions {
  double mask_prob = 0.15;
  double label_smoothing = 0;
  void visit(OptionVisitor& visitor) {
    visitor.option("mask_prob", mask_prob,
                   {.meaning = "of positions", .min = 0, .max = 1, .identity = true});
    visitor.option("label_smoothing", label_smoothing,
                   {.meaning = "share", .min = 0, .max = 1, .identity = true});
  }
};

struct ObjectiveOptions {
  std::string name = "causal_lm";
  void visit(OptionVisitor& visitor) {
    visitor.option(
        "name", name,
        {.meaning = "what is learned", .choices = {"causal_lm", "masked_lm"}, .identity = true});
  }
};

struct SampleOptions {
  RunOptions run;
  DataOptions data;
  ModelOptions model;
  TrainOptions train;
  ObjectiveOptions objective;
  CausalOptions causal;
};

/// Reads all sections of `root` with causal_lm as the objective; returns the resolved root.
inline ConfigNode read_options(const ConfigNode& root, SampleOptions& options, ErrorList& errors) {
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

/// A valid configuration in which every option is set.
inline const char* kSampleConfig = R"(# a sample
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
