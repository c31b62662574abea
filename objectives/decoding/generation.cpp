#include "objectives/decoding/generation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/random.h"
#include "objectives/decoding/decoder_state.h"

namespace pretrain {
namespace {

// Number of leading candidates (sorted by falling probability) that top-p keeps.
std::size_t nucleus(const std::vector<double>& weights, double top_p) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double reached = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    reached += weights[i];
    if (reached >= top_p * total) return i + 1;
  }
  return weights.size();
}

}  // namespace

std::int64_t sample_token(const std::vector<float>& logits, const SamplingOptions& options,
                          double u) {
  const auto better = [&](std::int64_t a, std::int64_t b) {
    const float left = logits[static_cast<std::size_t>(a)];
    const float right = logits[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  };
  for (const float logit : logits) {
    if (!std::isfinite(logit)) {
      fail(ExitCode::kNumerics, "generate: the model gives a logit of ", logit,
           ". Take an earlier checkpoint");
    }
  }
  std::vector<std::int64_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  if (options.temperature <= 0) return *std::min_element(ids.begin(), ids.end(), better);
  if (options.top_k > 0 && options.top_k < static_cast<std::int64_t>(ids.size())) {
    std::nth_element(ids.begin(), ids.begin() + options.top_k, ids.end(), better);
    ids.resize(static_cast<std::size_t>(options.top_k));
  }
  std::sort(ids.begin(), ids.end(), better);
  std::vector<double> weights;
  const double largest = static_cast<double>(logits[static_cast<std::size_t>(ids[0])]);
  for (std::int64_t id : ids) {
    const double logit = static_cast<double>(logits[static_cast<std::size_t>(id)]);
    weights.push_back(std::exp((logit - largest) / options.temperature));
  }
  if (options.top_p < 1) weights.resize(nucleus(weights, options.top_p));
  double left = u * std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    left -= weights[i];
    if (left < 0) return ids[i];
  }
  return ids[weights.size() - 1];
}

std::vector<std::int64_t> generate(Model& model, const std::vector<std::int64_t>& prompt,
                                   std::int64_t tokens, const SamplingOptions& options,
                                   std::int64_t stop_id, std::uint64_t sample,
                                   const std::function<bool(std::int64_t)>& on_token) {
  if (prompt.empty()) fail(ExitCode::kUsage, "generate: the prompt is empty. Give some text");
  const std::int64_t room = model.max_positions();
  std::vector<std::int64_t> text = prompt;
  DecoderState state(model, {});
  RandomStream random(options.seed, RandomPurpose::kGeneration, sample);
  // Only the last positions that leave half of the room free can be looked at.
  const auto tail = [&] {
    const auto keep = std::min<std::size_t>(text.size(), static_cast<std::size_t>((room + 1) / 2));
    return std::vector<std::int64_t>(text.end() - static_cast<std::ptrdiff_t>(keep), text.end());
  };
  std::vector<std::int64_t> unseen = static_cast<std::int64_t>(text.size()) <= room ? text : tail();
  for (std::int64_t i = 0; i < tokens; ++i) {
    if (state.length() + static_cast<std::int64_t>(unseen.size()) > room) {
      state = DecoderState(model, {});
      unseen = tail();
    }
    const std::int64_t id = sample_token(state.read(unseen), options, random.uniform());
    text.push_back(id);
    unseen = {id};
    if (!on_token(id) || id == stop_id) break;
  }
  return {text.begin() + static_cast<std::ptrdiff_t>(prompt.size()), text.end()};
}

std::vector<std::int64_t> decode(Model& model, const std::vector<std::int64_t>& source,
                                 std::int64_t start_id, std::int64_t tokens,
                                 const SamplingOptions& options, std::int64_t stop_id,
                                 std::uint64_t sample,
                                 const std::function<bool(std::int64_t)>& on_token) {
  DecoderState state(model, source);
  RandomStream random(options.seed, RandomPurpose::kGeneration, sample);
  std::vector<std::int64_t> text;
  std::int64_t last = start_id;
  while (static_cast<std::int64_t>(text.size()) < tokens) {
    last = sample_token(state.read({last}), options, random.uniform());
    text.push_back(last);
    if (!on_token(last) || last == stop_id) break;
  }
  return text;
}

}  // namespace pretrain
