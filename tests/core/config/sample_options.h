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
  void visit(OptionVisitor& visitor);
};

struct StopOptions {
  std::int64_t patience = 3;
  double min_delta = 0;
  void visit(OptionVisitor& visitor);
};

struct RunOptions {
  std::string dir = "runs/x";
  std::int64_t seed = 1;
  std::string resume = "auto";
  std::map<std::string, std::string> tags;
  void visit(OptionVisitor& visitor);
};

struct DataOptions {
  std::int64_t sequence_length = 1024;
  std::vector<SourceOptions> sources;
  std::string packing = "packed";
  std::map<std::string, double> weights;
  bool shuffle = true;
  void visit(OptionVisitor& visitor);
};

struct MoeOptions {
  std::int64_t experts = 0;
  std::int64_t top_k = 2;
  void visit(OptionVisitor& visitor);
};

struct ModelOptions {
  std::int64_t layers = 12;
  std::int64_t hidden = 768;
  std::int64_t ffn = 0;
  double dropout = 0;
  MoeOptions moe;
  void visit(OptionVisitor& visitor);
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
  void visit(OptionVisitor& visitor);
};

struct CausalOptions {
  double label_smoothing = 0;
  void visit(OptionVisitor& visitor);
};

struct MaskedOptions {
  double mask_prob = 0.15;
  double label_smoothing = 0;
  void visit(OptionVisitor& visitor);
};

struct ObjectiveOptions {
  std::string name = "causal_lm";
  void visit(OptionVisitor& visitor);
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
ConfigNode read_options(const ConfigNode& root, SampleOptions& options, ErrorList& errors);

/// A valid configuration in which every option is set.
extern const char* const kSampleConfig;

}  // namespace pretrain::testing
