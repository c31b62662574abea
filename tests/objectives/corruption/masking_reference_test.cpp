// The masks of a run never change: chosen as by this plain description of them, draw by draw.

#include <gtest/gtest.h>

#include <set>

#include "objectives/corruption/masking.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

using testing::kFirstOrdinary;

constexpr std::int64_t kVocab = 1000;

// Odd ids go on with a word.
ObjectiveContext context_of_words() {
  ObjectiveContext context;
  context.vocab_size = kVocab;
  context.special = testing::tiny_special_tokens(kVocab);
  for (std::int64_t id = 0; id < kVocab; ++id) context.word_parts.push_back(id % 2 == 1);
  return context;
}

RandomStream stream_of(std::uint64_t id) { return {33, RandomPurpose::kTest, id}; }

std::vector<std::int64_t> text(std::size_t length, std::uint64_t id) {
  RandomStream random(34, RandomPurpose::kTest, id);
  std::vector<std::int64_t> tokens;
  for (std::size_t i = 0; i < length; ++i) {
    const bool special = random.below(20) == 0;
    const auto ordinary = static_cast<std::int64_t>(random.below(kVocab - kFirstOrdinary));
    tokens.push_back(special ? 3 : kFirstOrdinary + ordinary);
  }
  return tokens;
}

class PlainMasking {
 public:
  PlainMasking(const std::vector<std::int64_t>& tokens, RandomStream& random)
      : tokens_(tokens), random_(random) {}

  std::set<std::size_t> choose(const std::string& unit, double share) {
    std::vector<std::size_t> left;  // where a unit may begin
    std::size_t ordinary = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      ordinary += is_ordinary(i);
      if (is_ordinary(i) && (unit == "token" || !continues(i))) left.push_back(i);
    }
    if (ordinary == 0) return {};
    const auto rounded = static_cast<std::size_t>(share * static_cast<double>(ordinary) + 0.5);
    const std::size_t wanted = std::max<std::size_t>(1, rounded);
    std::set<std::size_t> chosen;
    while (chosen.size() < wanted && !left.empty()) {
      const std::size_t at = random_.below(left.size());
      const std::size_t start = left[at];
      left[at] = left.front();
      left.erase(left.begin());
      const std::size_t room = wanted - chosen.size();
      std::size_t length = unit == "token" ? 1 : free_words(start, span_words(unit), chosen);
      if (unit == "word" && length > room) continue;
      length = std::min(length, room);
      for (std::size_t i = start; i < start + length; ++i) chosen.insert(i);
    }
    return chosen;
  }

 private:
  bool is_ordinary(std::size_t i) const { return tokens_[i] >= kFirstOrdinary; }
  bool continues(std::size_t i) const { return i > 0 && tokens_[i] % 2 == 1 && is_ordinary(i - 1); }

  std::size_t span_words(const std::string& unit) {
    if (unit == "word") return 1;
    std::size_t words = 11;
    while (words > 10) {
      words = 1;
      while (words < 11 && random_.uniform() >= 0.2) ++words;
    }
    return words;
  }

  // Tokens from `start` to the end of so many words, or to the first special or chosen one.
  std::size_t free_words(std::size_t start, std::size_t words,
                         const std::set<std::size_t>& chosen) const {
    std::size_t at = start;
    for (; at < tokens_.size() && is_ordinary(at) && !chosen.contains(at); ++at) {
      if (at > start && !continues(at) && --words == 0) break;
    }
    return at - start;
  }

  const std::vector<std::int64_t>& tokens_;
  RandomStream& random_;
};

TEST(Masking, ChoosesByThePlainDescription) {
  for (const char* unit : {"token", "word", "span"}) {
    for (const double share : {0.15, 0.5, 1.0}) {
      MaskingOptions options;
      options.unit = unit;
      options.mask_prob = share;
      const Masking masking(options, context_of_words(), "masked_lm");
      for (const std::size_t length : {1u, 2u, 30u, 128u, 1000u}) {
        for (std::uint64_t id = 0; id < 20; ++id) {
          const auto tokens = text(length, id);
          RandomStream random = stream_of(id), plain = stream_of(id);
          const auto chosen = masking.choose(tokens, random);
          const auto expected = PlainMasking(tokens, plain).choose(unit, share);
          ASSERT_EQ(std::vector<std::size_t>(chosen.begin(), chosen.end()),
                    std::vector<std::size_t>(expected.begin(), expected.end()))
              << unit << ", " << length << " tokens, row " << id;
          ASSERT_EQ(random.next_u32(), plain.next_u32()) << unit << ": as many draws";
        }
      }
    }
  }
}

TEST(Masking, HidesByThePlainDescription) {
  const Masking masking(MaskingOptions{}, context_of_words(), "masked_lm");
  RandomStream random = stream_of(0), plain = stream_of(0);
  for (std::int64_t token = kFirstOrdinary; token < kVocab; ++token) {
    const double u = plain.uniform();
    std::int64_t expected = u < 0.8 ? 4 : token;
    if (u >= 0.8 && u < 0.9) {
      expected = kFirstOrdinary + static_cast<std::int64_t>(plain.below(kVocab - kFirstOrdinary));
    }
    ASSERT_EQ(masking.hide(token, random), expected) << token;
  }
}

// Masks that runs have been trained with.
TEST(Masking, KeepsTheMasksOfEarlierRuns) {
  const auto chosen_of = [](const char* unit) {
    MaskingOptions options;
    options.unit = unit;
    RandomStream random = stream_of(7);
    return Masking(options, context_of_words(), "masked_lm").choose(text(100, 7), random);
  };
  EXPECT_EQ(chosen_of("token"),
            (std::vector<std::int64_t>{1, 3, 6, 16, 19, 26, 30, 33, 42, 63, 71, 73, 74, 96}));
  EXPECT_EQ(chosen_of("word"),
            (std::vector<std::int64_t>{44, 45, 46, 47, 58, 59, 60, 80, 81, 82, 83, 84, 85, 86}));
  EXPECT_EQ(chosen_of("span"),
            (std::vector<std::int64_t>{57, 58, 59, 60, 80, 81, 82, 83, 84, 85, 86, 87, 96, 99}));
}

}  // namespace
}  // namespace pretrain
