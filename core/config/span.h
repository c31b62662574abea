#pragma once

#include <cstdint>
#include <string>

namespace pretrain {

/// An amount of training in one of the units users think in; written in YAML as a map with exactly
/// one key, `{tokens: 10M}`. Converted to steps once, at the start.
struct Span {
  enum class Unit { kSteps, kTokens, kSamples, kEpochs, kHours, kFraction };
  Unit unit = Unit::kSteps;
  double value = 0;  ///< exact for whole numbers below 2^53
  bool operator==(const Span&) const = default;
};

/// Key of the unit in YAML: "steps", "tokens", "samples", "epochs", "hours", "fraction".
const char* span_unit_name(Span::Unit unit);
/// "{steps: 100}".
std::string to_string(const Span& span);

}  // namespace pretrain
