#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/option_visitor.h"
#include "core/config/span.h"

namespace pretrain {

struct EvaluationSource {
  std::string path;
  std::string name;
  std::string split = "valid";
  std::optional<std::int64_t> max_tokens;
  void visit(OptionVisitor& visitor);
};

struct SampleOptions {
  Span every{Span::Unit::kSteps, 1000};
  std::vector<std::string> prompts;
  std::int64_t tokens = 64;
  double temperature = 0.8;
  void visit(OptionVisitor& visitor);
};

struct EvalOptions {
  Span every{Span::Unit::kSteps, 500};
  bool at_start = true;
  bool at_end = true;
  std::optional<std::int64_t> micro_batch;
  std::vector<EvaluationSource> sets;
  std::optional<SampleOptions> samples;
  void visit(OptionVisitor& visitor);
};

}  // namespace pretrain
