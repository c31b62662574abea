#include "core/config/span.h"

#include <array>
#include <cmath>
#include <cstddef>

#include "core/config/scalars.h"

namespace pretrain {

const char* span_unit_name(Span::Unit unit) {
  constexpr std::array<const char*, 6> kNames = {"steps",  "tokens", "samples",
                                                 "epochs", "hours",  "fraction"};
  return kNames[static_cast<std::size_t>(unit)];
}

std::string to_string(const Span& span) {
  const bool counted = span.unit == Span::Unit::kSteps || span.unit == Span::Unit::kTokens ||
                       span.unit == Span::Unit::kSamples;
  const std::string amount = counted && span.value == std::floor(span.value)
                                 ? std::to_string(static_cast<std::int64_t>(span.value))
                                 : format_float(span.value);
  return std::string("{") + span_unit_name(span.unit) + ": " + amount + '}';
}

}  // namespace pretrain
