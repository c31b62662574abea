#include "objectives/corruption/masking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/text/word_parts.h"
#include "objectives/corruption/rows.h"

namespace pretrain {
namespace {

constexpr double kSpanEnd = 0.2;  // of SpanBERT's geometric distribution
constexpr std::int64_t kLongestSpan = 10;

// Moves a random one of the elements from `at` on to `at` and returns it.
std::int64_t draw_next(std::vector<std::int64_t>& items, std::size_t at, RandomStream& random) {
  std::swap(items[at], items[at + random.below(items.size() - at)]);
  return items[at];
}

// Those of [0, size) that hold, in order; without a branch, as masks are hard to predict.
template <class Condition>
std::vector<std::int64_t> positions_where(std::size_t size, const Condition& holds) {
  std::vector<std::int64_t> positions(size);
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    positions[count] = static_cast<std::int64_t>(i);
    count += holds(i) ? 1 : 0;
  }
  positions.resize(count);
  return positions;
}

// Longer spans are drawn again, so that the mean is SpanBERT's 3.8.
std::int64_t draw_span(RandomStream& random) {
  while (true) {
    std::int64_t length = 1;
    while (length <= kLongestSpan && random.uniform() >= kSpanEnd) ++length;
    if (length <= kLongestSpan) return length;
  }
}

}  // namespace

void MaskingOptions::visit(OptionVisitor& visitor) {
  const auto share = [&](const char* name, double& value, const char* meaning, const char* of) {
    visitor.option(name, value,
                   {.meaning = meaning, .unit = of, .min = 0, .max = 1, .identity = true});
  };
  share("mask_prob", mask_prob, "positions to predict", "of ordinary positions");
  share("mask_share", mask_share, "shown as the mask token", "of them");
  share("random_share", random_share, "shown as a random token; the rest stays", "of them");
  visitor.option("max_predictions", max_predictions,
                 {.meaning = "most positions to predict in a sequence",
                  .min = 1,
                  .max = 1 << 20,
                  .null_word = "null",
                  .identity = true});
  visitor.option("masking", masking,
                 {.meaning = "dynamic: new masks each time a row is served; static: `copies` masks",
                  .choices = {"dynamic", "static"},
                  .identity = true});
  visitor.option("copies", copies,
                 {.meaning = "epochs after which static masks repeat",
                  .min = 1,
                  .max = 1e6,
                  .identity = true});
  visitor.option("unit", unit,
                 {.meaning = "what is chosen as a whole",
                  .choices = {"token", "word", "span"},
                  .identity = true});
}

Masking::Masking(const MaskingOptions& options, const ObjectiveContext& context,
                 const std::string& objective)
    : options_(options),
      seed_(context.seed),
      mask_(context.special.mask),
      special_(context.special.is_special.begin(), context.special.is_special.end()),
      word_parts_(context.word_parts) {
  if (mask_ < 0 && options_.mask_share > 0) {
    fail(ExitCode::kBadConfig, "objective.name ", objective,
         ": the tokenizer has no mask token ([MASK] or <mask>). Add --special bert, to "
         "pretrain tokenizer train or, with byte and char, to pretrain corpus build; or set "
         "objective.mask_share=0");
  }
  if (options_.mask_share + options_.random_share > 1) {
    fail(ExitCode::kBadConfig, "objective.mask_share ", options_.mask_share,
         " + objective.random_share ", options_.random_share, " is more than 1");
  }
  for (std::int64_t id = 0; id < context.vocab_size; ++id) {
    if (!is_special(id)) ordinary_.push_back(id);
  }
}

std::vector<std::int64_t> Masking::choose(std::span<const std::int64_t> tokens,
                                          RandomStream& random) const {
  std::vector<std::int64_t> candidates =
      positions_where(tokens.size(), [&](std::size_t i) { return !is_special(tokens[i]); });
  if (candidates.empty()) return {};
  const double share = options_.mask_prob * static_cast<double>(candidates.size());
  auto wanted = std::max<std::int64_t>(1, std::llround(share));
  if (options_.max_predictions) wanted = std::min(wanted, *options_.max_predictions);
  const auto count = std::min(static_cast<std::size_t>(wanted), candidates.size());
  std::vector<std::uint8_t> taken(tokens.size());
  const auto taken_positions = [&] {
    return positions_where(taken.size(), [&](std::size_t i) { return taken[i] != 0; });
  };
  if (options_.unit == "token") {
    for (std::size_t i = 0; i < count; ++i) {
      taken[static_cast<std::size_t>(draw_next(candidates, i, random))] = 1;
    }
    return taken_positions();
  }
  // A unit begins at each candidate that continues no word; spans begin anywhere and are words
  // long.
  std::vector<std::int64_t> starts;
  const auto has = [&](std::int64_t id, std::uint8_t bit) {
    const auto index = static_cast<std::size_t>(id);
    return index < word_parts_.size() && (word_parts_[index] & bit) != 0;
  };
  const auto continues = [&](std::int64_t at) {
    if (at == 0) return false;
    const std::int64_t before = tokens[static_cast<std::size_t>(at) - 1];
    return has(tokens[static_cast<std::size_t>(at)], kContinuesWord) && !has(before, kEndsWord) &&
           !is_special(before);
  };
  for (const std::int64_t at : candidates) {
    if (!continues(at)) starts.push_back(at);
  }
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < starts.size() && chosen < count; ++i) {
    std::int64_t at = draw_next(starts, i, random);
    std::int64_t words = options_.unit == "span" ? draw_span(random) : 1;
    const auto room = count - chosen;
    std::vector<std::int64_t> unit;
    for (; at < static_cast<std::int64_t>(tokens.size()); ++at) {
      const auto index = static_cast<std::size_t>(at);
      if (is_special(tokens[index]) || taken[index]) break;
      if (!unit.empty() && !continues(at) && --words == 0) break;
      unit.push_back(at);
    }
    if (unit.size() > room && options_.unit == "word") continue;  // a shorter word may still fit
    unit.resize(std::min(unit.size(), room));
    for (const std::int64_t position : unit) taken[static_cast<std::size_t>(position)] = 1;
    chosen += unit.size();
  }
  return taken_positions();
}

std::int64_t Masking::hide(std::int64_t token, RandomStream& random) const {
  const double u = random.uniform();
  const bool masked = u < options_.mask_share;
  // The rare case first, as none of them can be predicted: the other two need no jump.
  if (!masked & (u < options_.mask_share + options_.random_share)) {
    return ordinary_[random.below(ordinary_.size())];
  }
  return masked ? mask_ : token;
}

RandomStream Masking::stream(const TokenBatch& batch, std::size_t row, std::int64_t start) const {
  std::uint64_t id = batch.sample_ids[row];
  if (options_.masking == "static") {
    id = batch.row_ids[row] * static_cast<std::uint64_t>(options_.copies) +
         batch.epochs[row] % static_cast<std::uint64_t>(options_.copies);
  }
  return {seed_, RandomPurpose::kObjective, sequence_key(id, start)};
}

}  // namespace pretrain
