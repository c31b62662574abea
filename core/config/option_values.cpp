#include "core/config/option_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/config/scalars.h"

namespace pretrain {

namespace {

constexpr std::array<Span::Unit, 6> kSpanUnits = {Span::Unit::kSteps,   Span::Unit::kTokens,
                                                  Span::Unit::kSamples, Span::Unit::kEpochs,
                                                  Span::Unit::kHours,   Span::Unit::kFraction};

constexpr double kExact = 9007199254740992.0;  // 2^53: up to here a double holds every whole number

bool is_counted(Span::Unit unit) {
  return unit == Span::Unit::kSteps || unit == Span::Unit::kTokens || unit == Span::Unit::kSamples;
}

std::vector<std::string> choices_of(const OptionInfo& info) {
  return {info.choices.begin(), info.choices.end()};
}

bool is_choice(const OptionInfo& info, const std::string& text) {
  return std::find(info.choices.begin(), info.choices.end(), text) != info.choices.end();
}

std::string with_range(const std::string& type, const OptionInfo& info) {
  const bool has_min = std::isfinite(info.min);
  const bool has_max = std::isfinite(info.max);
  if (has_min && has_max) {
    return type + " from " + bound_text(info.min, info.kind) + " to " +
           bound_text(info.max, info.kind);
  }
  if (has_min) return type + " >= " + bound_text(info.min, info.kind);
  if (has_max) return type + " <= " + bound_text(info.max, info.kind);
  return type;
}

// Edit distance of Levenshtein, given up at more than 3.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  constexpr std::size_t kTooFar = 4;
  const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference >= kTooFar) return kTooFar;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

// A path as the working directory sees it.
std::string usable_path(const std::string& path, const Mark& mark) {
  const std::filesystem::path folder = std::filesystem::path(mark.file).parent_path();
  if (path.empty() || mark.from_working_directory || folder.empty()) return path;
  const std::filesystem::path given(path);
  return given.is_absolute() ? path : (folder / given).lexically_normal().string();
}

}  // namespace

std::string bound_text(double bound, OptionKind kind) {
  if (kind == OptionKind::kTime) return format_time(bound);
  const bool is_exact = std::abs(bound) <= kExact && bound == std::floor(bound);
  if (is_exact && kind == OptionKind::kBytes) return bytes_text(static_cast<std::int64_t>(bound));
  return is_exact ? std::to_string(static_cast<std::int64_t>(bound)) : format_float(bound);
}

ConfigNode to_node(bool value, const OptionInfo&) {
  return ConfigNode::scalar(value ? "true" : "false");
}

ConfigNode to_node(std::int64_t value, const OptionInfo& info) {
  if (info.kind == OptionKind::kBytes) return ConfigNode::scalar(bytes_text(value));
  return ConfigNode::scalar(std::to_string(value) + (info.kind == OptionKind::kTime ? "s" : ""));
}

ConfigNode to_node(double value, const OptionInfo& info) {
  return ConfigNode::scalar(info.kind == OptionKind::kTime ? format_time(value)
                                                           : format_float(value));
}

ConfigNode to_node(const std::string& value, const OptionInfo& info) {
  return ConfigNode::scalar(value, info.null_word && value == info.null_word);
}

ConfigNode to_node(const Span& value, const OptionInfo&) {
  const bool is_whole = is_counted(value.unit) && value.value == std::floor(value.value);
  ConfigNode node = ConfigNode::map();
  node.set(span_unit_name(value.unit),
           ConfigNode::scalar(is_whole ? std::to_string(static_cast<std::int64_t>(value.value))
                                       : format_float(value.value)));
  return node;
}

bool is_absent(const ConfigNode& node, const OptionInfo& info) {
  const std::string word = info.null_word ? info.null_word : "null";
  if (word == "null") return node.is_null();
  return node.is_scalar() && !node.quoted() && node.text() == word;
}

std::vector<Span::Unit> span_units(const OptionInfo& info) {
  std::vector<Span::Unit> units;
  for (const Span::Unit unit : kSpanUnits) {
    const bool allowed = info.choices.empty() ? unit != Span::Unit::kFraction
                                              : is_choice(info, span_unit_name(unit));
    if (allowed) units.push_back(unit);
  }
  return units;
}

std::string one_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string nearest_word(const std::string& wrong, const std::vector<std::string>& words) {
  std::string nearest;
  std::size_t best = 4;
  for (const std::string& word : words) {
    const std::size_t distance = edit_distance(wrong, word);
    if (distance >= best || distance >= std::max(wrong.size(), word.size())) continue;
    best = distance;
    nearest = word;
  }
  return nearest;
}

bool ValueReader::refuse(const ConfigNode& node, const std::string& expected,
                         const std::string& got, const std::string& advice) const {
  const std::string or_null = info_.null_word ? std::string(" or ") + info_.null_word : "";
  return refuse_fault(node, "expected " + expected + or_null + ", got " +
                                (got.empty() ? shown(node) : shortened(got)) +
                                (advice.empty() ? "" : ". " + advice));
}

bool ValueReader::refuse_fault(const ConfigNode& node, const std::string& fault) const {
  errors_.add(node.mark(), key_ + ": " + fault);
  return false;
}

bool ValueReader::read(const ConfigNode& node, bool& value) const {
  const bool is_word = node.is_scalar() && !node.quoted();
  const Parsed<bool> parsed = is_word ? parse_bool(node.text()) : Parsed<bool>{};
  if (!parsed.value) return refuse(node, "true or false", "", parsed.advice);
  value = *parsed.value;
  return true;
}

template <class T, class Parse>
bool ValueReader::read_number(const ConfigNode& node, const char* type, Parse parse,
                              T& value) const {
  const std::string_view noun =
      std::string_view(type).substr(0, std::string_view(type).find(" such"));
  const std::string expected =
      info_.choices.empty() ? with_range(std::string(noun), info_) : one_of(choices_of(info_));
  // The range is of interest only to who gave a number.
  const std::string of_type = info_.choices.empty() ? type : expected;
  if (!node.is_scalar()) return refuse(node, of_type);
  if (node.quoted()) return refuse(node, of_type, "", "Remove the quotes");
  const auto parsed = parse(node.text());
  if (!parsed.value && !parsed.fault.empty()) return refuse_fault(node, parsed.fault);
  if (!parsed.value) return refuse(node, of_type, "", parsed.advice);
  const auto number = static_cast<double>(*parsed.value);
  const bool is_whole = number == std::floor(number);
  if (std::is_integral_v<T> && !is_whole) return refuse(node, of_type, "", "Round it");
  const bool is_chosen = info_.choices.empty() || is_choice(info_, node.text());
  if (!is_chosen || number < info_.min || number > info_.max) {
    return refuse(node, expected);
  }
  value = static_cast<T>(*parsed.value);
  return true;
}

bool ValueReader::read(const ConfigNode& node, std::int64_t& value) const {
  switch (info_.kind) {
    case OptionKind::kCount:
      return read_number(node, "a whole number such as 300 or 10k", parse_count, value);
    case OptionKind::kBytes:
      return read_number(node, "a size such as 25MiB", parse_bytes, value);
    case OptionKind::kTime:
      return read_number(node, "a time such as 90s or 1h30m", parse_time, value);
    default:
      return read_number(node, "a whole number", parse_int, value);
  }
}

bool ValueReader::read(const ConfigNode& node, double& value) const {
  if (info_.kind == OptionKind::kTime) {
    return read_number(node, "a time such as 90s or 1h30m", parse_time, value);
  }
  return read_number(node, "a number", parse_float, value);
}

bool ValueReader::read(const ConfigNode& node, std::string& value) const {
  const bool is_path = info_.kind == OptionKind::kPath;
  const std::vector<std::string> choices = choices_of(info_);
  if (is_path) {
    const std::string expected = one_of(choices) + (choices.empty() ? "a path" : " or a path");
    if (!node.is_scalar()) return refuse(node, expected);
    const bool is_word = !node.quoted() && is_choice(info_, node.text());
    value = is_word ? node.text() : usable_path(node.text(), node.mark());
    return true;
  }
  const std::string expected = choices.empty() ? "text" : one_of(choices);
  if (!node.is_scalar()) return refuse(node, expected);
  if (!choices.empty() && !is_choice(info_, node.text())) {
    const std::string near = nearest_word(node.text(), choices);
    return refuse(node, expected, "", near.empty() ? "" : "Did you mean " + near + "?");
  }
  value = node.text();
  return true;
}

bool ValueReader::read(const ConfigNode& node, Span& value) const {
  std::vector<std::string> names;
  for (const Span::Unit unit : span_units(info_)) names.emplace_back(span_unit_name(unit));
  const std::string expected =
      "a map with exactly one of " + one_of(names) + ", such as {" + names.front() + ": " +
      (names.front() == "fraction" || names.front() == "epochs" ? "0.5}" : "100}");
  if (!node.is_map() || node.entries().size() != 1) {
    std::string got;
    for (const auto& entry : node.entries()) got += (got.empty() ? "" : ", ") + entry.key;
    return refuse(node, expected, got);
  }
  const auto& [key, key_mark, amount] = node.entries().front();
  for (const Span::Unit unit : span_units(info_)) {
    if (key != span_unit_name(unit)) continue;
    OptionInfo part = info_;
    part.choices = {};
    part.null_word = nullptr;
    part.kind = OptionKind::kPlain;
    part.min = std::max(info_.min, 0.0);
    const ValueReader reader(key_ + '.' + key, part, errors_);
    double number = 0;
    if (is_counted(unit)) {
      part.max = std::min(info_.max, kExact);
      if (!reader.read_number(amount, "a whole number such as 300 or 10k", parse_count, number)) {
        return false;
      }
    } else if (!reader.read(amount, number)) {
      return false;
    }
    value = {.unit = unit, .value = number};
    return true;
  }
  const bool lacks_blank = key.find(':') != std::string::npos;
  return refuse(node, expected, key, lacks_blank ? "Put a blank after the colon" : "");
}

template <class T>
bool ValueReader::read(const ConfigNode& node, std::vector<T>& value) const {
  if (info_.null_word && is_absent(node, info_)) return value.clear(), true;
  if (!node.is_list()) {
    return refuse(node, std::is_arithmetic_v<T> ? "a list of numbers such as [1, 2]"
                                                : "a list of text such as [a, b]");
  }
  std::vector<T> items;
  bool good = true;
  for (std::size_t i = 0; i < node.items().size(); ++i) {
    OptionInfo part = info_;
    part.null_word = nullptr;
    T item{};
    good = ValueReader(key_ + '[' + std::to_string(i) + ']', part, errors_)
               .read(node.items()[i], item) &&
           good;
    items.push_back(std::move(item));
  }
  if (good) value = std::move(items);
  return good;
}

template <class T>
bool ValueReader::read(const ConfigNode& node, std::map<std::string, T>& value) const {
  if (info_.null_word && is_absent(node, info_)) return value.clear(), true;
  if (!node.is_map()) {
    return refuse(node, std::is_arithmetic_v<T> ? "a map of numbers such as {a: 1}"
                                                : "a map of text such as {a: b}");
  }
  std::map<std::string, T> items;
  bool good = true;
  for (const auto& [key, key_mark, item] : node.entries()) {
    OptionInfo part = info_;
    part.null_word = nullptr;
    good = ValueReader(key_ + '.' + key, part, errors_).read(item, items[key]) && good;
  }
  if (good) value = std::move(items);
  return good;
}

template bool ValueReader::read(const ConfigNode&, std::vector<double>&) const;
template bool ValueReader::read(const ConfigNode&, std::vector<std::int64_t>&) const;
template bool ValueReader::read(const ConfigNode&, std::vector<std::string>&) const;
template bool ValueReader::read(const ConfigNode&, std::map<std::string, double>&) const;
template bool ValueReader::read(const ConfigNode&, std::map<std::string, std::string>&) const;

}  // namespace pretrain
