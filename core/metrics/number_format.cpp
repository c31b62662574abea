#include "core/metrics/number_format.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace pretrain {
namespace {

std::string printed(double value, std::chars_format format, int digits) {
  if (std::isnan(value)) return "nan";  // without the sign that to_chars gives it
  std::array<char, 400> text;           // the largest double has 309 digits before the point
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format, digits).ptr;
  return std::string(text.data(), end);
}

// Of 0 to 99.
std::string two_digits(std::int64_t value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

}  // namespace

std::string fixed(double value, int digits) {
  return printed(value, std::chars_format::fixed, digits);
}

std::string scientific(double value, int digits) {
  return printed(value, std::chars_format::scientific, digits);
}

std::string compact(double value, int digits) {
  const double size = std::abs(value);
  if (size != 0 && (size < 0.001 || size >= 1e5)) return scientific(value, 2);
  return fixed(value, digits);
}

std::string with_unit(double value) {
  // 999.5 and more would print as 1000.
  if (!std::isfinite(value) || std::abs(value) < 999.5) return fixed(value, 0);
  constexpr std::array<const char*, 5> kUnits{"k", "M", "G", "T", "P"};
  std::size_t unit = 0;
  double scaled = value / 1000;
  while (std::abs(scaled) >= 999.95 && unit + 1 < kUnits.size()) {
    scaled /= 1000;
    ++unit;
  }
  return fixed(scaled, 1) + kUnits[unit];
}

std::string gib(double value) {
  std::string text = fixed(value, 1);
  if (text.size() > 2 && text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string duration(double seconds) {
  constexpr double kLongest = 1e10;  // 317 years
  if (!(seconds >= 0 && seconds < kLongest)) return kUnknown;
  const std::int64_t all = std::llround(seconds);
  const std::int64_t minutes = all / 60;
  const std::int64_t hours = minutes / 60;
  if (all < 60) return std::to_string(all) + "s";
  if (hours < 1) return std::to_string(minutes) + "m" + two_digits(all % 60) + "s";
  if (hours < 24) return std::to_string(hours) + "h" + two_digits(minutes % 60) + "m";
  return std::to_string(hours / 24) + "d" + two_digits(hours % 24) + "h";
}

std::string percent(double share) { return fixed(100 * share, 1) + "%"; }

}  // namespace pretrain
