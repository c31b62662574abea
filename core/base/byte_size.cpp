#include "core/base/byte_size.h"

#include <array>
#include <cmath>

#include "core/base/error.h"

namespace pretrain {

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return concat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  const auto tenths = std::llround(value * 10);
  return concat(tenths / 10, ".", tenths % 10, " ", kUnits[unit]);
}

std::string plural(std::uint64_t count, const std::string& noun) {
  return concat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace pretrain
