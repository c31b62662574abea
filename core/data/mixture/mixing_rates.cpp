#include "core/data/mixture/mixing_rates.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr double kResolution = 0x1p32;

}  // namespace

std::vector<std::uint64_t> deal_weights(const std::vector<SourceSize>& sizes,
                                        const std::vector<double>& token_weights) {
  std::vector<double> samples;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double weight = token_weights.at(i);
    if (!(weight >= 0) || !std::isfinite(weight)) {
      fail(ExitCode::kInternal, "source ", i, " weighs ", weight);
    }
    const auto tokens = static_cast<double>(sizes[i].tokens);
    samples.push_back(weight == 0 ? 0 : weight * static_cast<double>(sizes[i].rows) / tokens);
  }
  const double sum = std::accumulate(samples.begin(), samples.end(), 0.0);
  std::vector<std::uint64_t> weights;
  for (const double sample : samples) {
    const double scaled = std::round(sample / sum * kResolution);
    weights.push_back(sample == 0 ? 0 : static_cast<std::uint64_t>(std::max(1.0, scaled)));
  }
  return weights;
}

std::vector<std::uint64_t> deal_weights(const std::vector<SourceSize>& sizes,
                                        const std::vector<bool>& taken, const SizeMixing& mixing) {
  bool natural = mixing.temperature == 1;
  std::vector<std::uint64_t> rows;
  std::vector<double> rates;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto tokens = static_cast<double>(sizes[i].tokens);
    if (mixing.cap && taken.at(i) && tokens > *mixing.cap) natural = false;
    const double counted = mixing.cap ? std::min(tokens, *mixing.cap) : tokens;
    rows.push_back(taken.at(i) ? sizes[i].rows : 0);
    rates.push_back(taken.at(i) ? std::pow(counted, 1 / mixing.temperature) : 0);
  }
  return natural ? rows : deal_weights(sizes, rates);
}

}  // namespace pretrain
