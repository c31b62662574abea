#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/option_visitor.h"
#include "launch/config/data_options.h"
#include "launch/config/eval_options.h"

namespace pretrain {

// Sections of the run as a whole. Meanings: the rows in run_options.cpp, and configs/options.md.

struct RunOptions {
  std::string name;
  std::string dir;
  std::int64_t seed = 1;
  std::string resume = "auto";
  std::string device = "auto";
  std::optional<std::int64_t> threads;
  std::optional<std::string> init;
  std::vector<std::string> allow_change;
  void visit(OptionVisitor& visitor);
};

struct TokenizerOptions {
  std::optional<std::string> path;
  void visit(OptionVisitor& visitor);
};

struct ModelSection {
  std::string name = "gpt2";
  std::optional<std::int64_t> vocab_size;
  void visit(OptionVisitor& visitor);
};

struct ObjectiveSection {
  std::string name = "causal_lm";
  void visit(OptionVisitor& visitor);
};

struct OptimizerSection {
  std::string name = "adamw";
  double lr = 3e-4;
  double weight_decay = 0.1;
  double clip_norm = 1.0;
  void visit(OptionVisitor& visitor);
};

struct TrainOptions {
  Span duration;
  std::optional<std::int64_t> global_batch_tokens;
  std::optional<std::int64_t> global_batch_sequences;
  std::optional<std::int64_t> micro_batch;
  std::string recompute = "none";
  void visit(OptionVisitor& visitor);
};

struct ParallelOptions {
  std::string backend = "auto";
  void visit(OptionVisitor& visitor);
};

struct PrecisionOptions {
  std::string compute = "auto";
  void visit(OptionVisitor& visitor);
};

struct ReliabilityOptions {
  std::string nonfinite = "skip";
  std::int64_t max_consecutive_skips = 5;
  double lock_stale = 60;
  void visit(OptionVisitor& visitor);
};

struct DebugOptions {
  std::vector<std::int64_t> dump_batches;
  void visit(OptionVisitor& visitor);
};

}  // namespace pretrain
