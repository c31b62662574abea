#include "core/checkpoint/checkpoint_name.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::string_view kPrefix = "step-";

/// Reads a number from the front of `text` and cuts it off.
bool take_number(std::string_view& text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string to_string(const CheckpointName& name) {
  std::string digits = std::to_string(name.step);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  std::string text = concat(kPrefix, digits);
  if (name.lineage > 0) text += concat(".l", name.lineage);
  return text;
}

std::optional<CheckpointName> parse_checkpoint_name(std::string_view text) {
  CheckpointName name;
  std::string_view rest = text;
  if (!rest.starts_with(kPrefix)) return std::nullopt;
  rest.remove_prefix(kPrefix.size());
  if (!take_number(rest, name.step)) return std::nullopt;
  if (rest.starts_with(".l")) {
    rest.remove_prefix(2);
    if (!take_number(rest, name.lineage)) return std::nullopt;
  }
  // Refuses what the numbers leave open: signs, missing or extra zeros, a rest.
  if (to_string(name) != text) return std::nullopt;
  return name;
}

std::vector<CheckpointName> checkpoint_names(const Directory& checkpoints) {
  std::vector<CheckpointName> names;
  for (const std::string& entry : checkpoints.list()) {
    if (const auto name = parse_checkpoint_name(entry)) names.push_back(*name);
  }
  std::sort(names.begin(), names.end(), std::greater<>());
  return names;
}

std::string temporary_name(const CheckpointName& name) {
  return unique_name("tmp-" + to_string(name));
}

std::string trash_name(const CheckpointName& name) {
  return unique_name(".trash-" + to_string(name));
}

}  // namespace pretrain
