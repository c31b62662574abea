#include "core/data/corpus/inspect/length_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace pretrain {
namespace {

constexpr unsigned kExactBits = 12;  // lengths below 2^12 have a step each
constexpr std::uint64_t kExact = 1 << kExactBits;
constexpr std::uint64_t kHalf = kExact / 2;  // steps of each doubling above

int bits_of(std::uint64_t length) { return static_cast<int>(std::bit_width(length)); }

std::size_t step_of(std::uint64_t length) {
  if (length < kExact) return length;
  const unsigned shift = static_cast<unsigned>(std::bit_width(length)) - kExactBits;
  return kExact + (shift - 1) * kHalf + ((length >> shift) - kHalf);
}

std::uint64_t step_begin(std::size_t step) {
  if (step < kExact) return step;
  const std::uint64_t shift = (step - kExact) / kHalf + 1;
  return ((step - kExact) % kHalf + kHalf) << shift;
}

// `eighths` eighths of a character.
std::string bar(std::uint64_t eighths) {
  static constexpr const char* kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  std::string text;
  for (std::uint64_t i = 0; i < eighths / 8; ++i) text += "█";
  return text + kParts[eighths % 8];
}

}  // namespace

LengthHistogram::LengthHistogram() : steps_(step_of(UINT64_MAX) + 1) {}

void LengthHistogram::add(std::uint64_t length) {
  ++steps_[step_of(length)];
  ++count_;
  shortest_ = std::min(shortest_, length);
  longest_ = std::max(longest_, length);
}

std::uint64_t LengthHistogram::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t sum = 0;
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    sum += steps_[step];
    if (sum >= wanted && sum > 0) return step_begin(step);
  }
  return 0;
}

std::vector<LengthHistogram::Bin> LengthHistogram::bins() const {
  std::vector<Bin> bins;
  if (count_ == 0) return bins;
  for (int bits = bits_of(shortest()); bits <= bits_of(longest_); ++bits) {
    const std::uint64_t begin = bits == 0 ? 0 : std::uint64_t{1} << (bits - 1);
    bins.push_back({begin, bits == 0 ? 1 : begin * 2, 0});
  }
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    if (steps_[step] == 0) continue;
    const int bits = bits_of(step_begin(step));
    bins[static_cast<std::size_t>(bits - bits_of(shortest()))].count += steps_[step];
  }
  return bins;
}

std::string LengthHistogram::to_text(std::size_t width) const {
  const std::vector<Bin> all = bins();
  std::uint64_t most = 1;
  for (const Bin& bin : all) most = std::max(most, bin.count);
  std::ostringstream text;
  for (const Bin& bin : all) {
    const double share = static_cast<double>(bin.count) / static_cast<double>(most);
    const auto eighths =
        static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(width) * 8));
    text << std::setw(12) << bin.begin << " - " << std::left << std::setw(12) << bin.end - 1
         << std::right << std::setw(12) << bin.count << "  " << bar(eighths) << "\n";
  }
  return text.str();
}

}  // namespace pretrain
