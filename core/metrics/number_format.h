#pragma once

#include <optional>
#include <string>

namespace pretrain {

/// Numbers as people read them, the same in every locale. Not finite: "nan", "inf", "-inf".

/// `digits` after the point: fixed(3.4116, 3) == "3.412".
std::string fixed(double value, int digits);
/// Like 2.9e-04.
std::string scientific(double value, int digits);
/// fixed() for 0.001 to 99999, scientific() where that would show no digit or too many.
std::string compact(double value, int digits);
/// With a factor of 1000 as letter: 812, 41.2k, 1.3M, 2.0G.
std::string with_unit(double value);
/// GiB from GiB with one digit, a whole number without: "9.8", "12".
std::string gib(double value);
/// Time left from seconds: 42s, 12m05s, 1h02m, 3d04h.
std::string duration(double seconds);
/// Percent of a share 0..1: "38.1%".
std::string percent(double share);

/// "--", which stands for a value that is not known.
inline constexpr const char* kUnknown = "--";
/// format(*value), or kUnknown.
template <class Format>
std::string or_unknown(const std::optional<double>& value, Format format) {
  return value ? format(*value) : std::string(kUnknown);
}

}  // namespace pretrain
