#include "core/config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <system_error>

#include "core/base/error.h"
#include "core/config/config_node.h"

namespace pretrain {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) -
                                  text.begin());
}

struct Suffix {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kKi = 1024;
constexpr std::array<Suffix, 8> kCountSuffixes = {{{"", 1},
                                                   {"k", 1'000},
                                                   {"M", 1'000'000},
                                                   {"G", 1'000'000'000},
                                                   {"T", 1'000'000'000'000},
                                                   {"Ki", kKi},
                                                   {"Mi", kKi* kKi},
                                                   {"Gi", kKi* kKi* kKi}}};
constexpr std::array<Suffix, 7> kByteSuffixes = {{{"B", 1},
                                                  {"kB", 1'000},
                                                  {"MB", 1'000'000},
                                                  {"GB", 1'000'000'000},
                                                  {"KiB", kKi},
                                                  {"MiB", kKi* kKi},
                                                  {"GiB", kKi* kKi* kKi}}};

template <class T>
Parsed<T> too_large(std::string_view text) {
  return {.fault = concat("expected a smaller value, got ", shortened(text),
                          ", which does not fit in 64 bits. Lower it")};
}

// A leading zero is either octal or a slip, so it is never guessed at.
template <class T>
bool refuse_leading_zero(std::string_view text, Parsed<T>& result) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.size() < 2 || digits[0] != '0' || !is_digit(digits[1])) return false;
  const std::size_t kept =
      std::min(digits.find_first_not_of('0'), digits.find_first_not_of("0123456789") - 1);
  const std::string_view rest = digits.substr(std::min(kept, digits.size() - 1));
  result.fault =
      concat(shortened(text), " has a leading zero. Write ", negative ? "-" : "", shortened(rest));
  return true;
}

Parsed<std::int64_t> parse_suffixed(std::string_view text, std::span<const Suffix> suffixes) {
  Parsed<std::int64_t> result;
  if (refuse_leading_zero(text, result)) return result;
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  const std::size_t digits = count_digits(text.substr(sign));
  const std::string_view suffix = text.substr(sign + digits);
  if (digits == 0) return result;
  if (suffix.find('_') != std::string_view::npos) {
    std::string without(text);
    std::erase(without, '_');
    result.advice = "Write " + shortened(without);
  }
  const auto found = std::find_if(suffixes.begin(), suffixes.end(),
                                  [&](const Suffix& s) { return s.name == suffix; });
  if (found == suffixes.end()) return result;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + sign + digits, number);
  std::int64_t value = 0;
  if (error != std::errc() || __builtin_mul_overflow(number, found->factor, &value)) {
    return too_large<std::int64_t>(text);
  }
  result.value = value;
  return result;
}

}  // namespace

Parsed<bool> parse_bool(std::string_view text) {
  if (text == "true") return {.value = true};
  if (text == "false") return {.value = false};
  std::string lower(text.substr(0, 8));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), lower) != words.end();
  };
  if (is_one_of({"true", "yes", "on", "y", "1"})) return {.advice = "Write true"};
  if (is_one_of({"false", "no", "off", "n", "0"})) return {.advice = "Write false"};
  return {};
}

Parsed<std::int64_t> parse_int(std::string_view text) {
  return parse_suffixed(text, std::span(kCountSuffixes).first(1));
}

Parsed<std::int64_t> parse_count(std::string_view text) {
  return parse_suffixed(text, kCountSuffixes);
}

Parsed<std::int64_t> parse_bytes(std::string_view text) {
  Parsed<std::int64_t> result = parse_suffixed(text, kByteSuffixes);
  if (!result.value && result.fault.empty() && !text.empty() && count_digits(text) == text.size()) {
    result.advice = "Add a unit: B kB MB GB KiB MiB GiB";
  }
  return result;
}

Parsed<double> parse_float(std::string_view text) {
  Parsed<double> result;
  if (refuse_leading_zero(text, result)) return result;
  std::size_t i = text.starts_with('-') ? 1 : 0;
  // from_chars alone would also take ".5", "5." and the words nan and inf.
  const std::size_t whole = count_digits(text.substr(i));
  i += whole;
  bool well_formed = whole > 0;
  if (i < text.size() && text[i] == '.') {
    const std::size_t fraction = count_digits(text.substr(i + 1));
    well_formed = well_formed && fraction > 0;
    i += 1 + fraction;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    const std::size_t exponent = count_digits(text.substr(i));
    well_formed = well_formed && exponent > 0;
    i += exponent;
  }
  if (!well_formed || i != text.size()) return result;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return too_large<double>(text);
  result.value = value;
  return result;
}

Parsed<double> parse_time(std::string_view text) {
  constexpr std::array<Suffix, 4> kUnits = {{{"d", 86'400}, {"h", 3'600}, {"m", 60}, {"s", 1}}};
  Parsed<double> result;
  double seconds = 0;
  std::size_t next_unit = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t length = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const std::string_view number = rest.substr(0, length);
    const Parsed<double> amount = parse_float(number);
    if (!amount.value) {
      result.fault = amount.fault;
      return result;
    }
    const std::string_view unit = rest.substr(length, 1);
    if (unit.empty()) {
      result.advice = concat("Add a unit: ", shortened(text), "s, or m h d");
      return result;
    }
    while (next_unit < kUnits.size() && kUnits[next_unit].name != unit) ++next_unit;
    const bool has_fraction = number.find('.') != std::string_view::npos;
    if (next_unit == kUnits.size() || (has_fraction && length + 1 != text.size())) return result;
    seconds += *amount.value * static_cast<double>(kUnits[next_unit++].factor);
    rest.remove_prefix(length + 1);
  }
  constexpr double kMaxSeconds = 9007199254740992.0;  // 2^53: whole seconds stay exact
  if (seconds > kMaxSeconds) return too_large<double>(text);
  if (!text.empty()) result.value = seconds;
  return result;
}

std::string format_float(double value) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), end);
  const std::size_t exponent = text.find('e');
  if (exponent == std::string::npos) {
    return text.find('.') == std::string::npos ? text + ".0" : text;
  }
  const std::size_t sign = text[exponent + 1] == '-' ? 1 : 0;
  const std::size_t digits = text.find_first_not_of("+-0", exponent + 1);
  return text.substr(0, exponent + 1) + (sign ? "-" : "") + text.substr(digits);
}

std::string bytes_text(std::int64_t bytes) {
  for (std::size_t i = kByteSuffixes.size() - 1; i >= 4; --i) {
    const auto& [name, factor] = kByteSuffixes[i];
    if (bytes != 0 && bytes % factor == 0)
      return std::to_string(bytes / factor) + std::string(name);
  }
  return std::to_string(bytes) + 'B';
}

std::string format_time(double seconds) {
  std::array<char, 400> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), seconds,
                                          std::chars_format::fixed);
  return std::string(buffer.data(), end) + 's';
}

}  // namespace pretrain
