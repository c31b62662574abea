// Span corruption: input and target together give the text back.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <set>

#include "core/objective.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::kFirstOrdinary;
using testing::make_tiny;
using testing::TinySetup;
using Tokens = std::vector<std::int64_t>;

constexpr std::int64_t kPad = 1, kCorpusEos = 0, kEos = 3,
                       kFirstSentinel = 8;  // the tokenizer's [SEP] closes
constexpr std::int64_t kVocab = 50, kRows = 200;

TinySetup setup_of(const std::string& model, const std::string& variant, std::int64_t length,
                   const std::string& more = "") {
  at::set_num_threads(1);
  TinySetup setup;
  setup.objective = "span_corruption";
  setup.model = model;
  setup.length = length;
  setup.layers = 1;
  setup.objective_options = "variant: " + variant + ", sentinels: 10" + more;
  if (variant == "iid" && more.find("noise_density") == std::string::npos) {
    setup.objective_options += ", noise_density: 0.08";  // so that ten sentinels are enough
  }
  return setup;
}

bool is_sentinel(std::int64_t token) { return token >= kFirstSentinel && token < kFirstOrdinary; }

std::vector<Tokens> rows_in(const at::Tensor& tokens, const Tokens& lengths) {
  std::vector<Tokens> rows;
  const auto* data = tokens.const_data_ptr<std::int64_t>();
  for (const std::int64_t length : lengths) {
    rows.emplace_back(data, data + length);
    data += length;
  }
  return rows;
}

struct Pair {
  Tokens input, target;
};

// Inputs and targets without their eos; checks how the network sees and predicts them.
std::vector<Pair> pairs_of(const Batch& batch, bool encoder_decoder) {
  std::vector<Pair> pairs;
  EXPECT_EQ(batch.counts, Tokens{batch.targets.numel()});
  if (encoder_decoder) {
    const auto inputs = rows_in(batch.inputs.tokens, batch.inputs.lengths);
    const auto decoded = rows_in(batch.decoder.tokens, batch.decoder.lengths);
    const auto targets = rows_in(batch.targets, batch.decoder.lengths);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Tokens shifted = targets[i];
      shifted.insert(shifted.begin(), kPad);
      shifted.pop_back();
      EXPECT_EQ(decoded[i], shifted);
      EXPECT_NE(batch.inputs.keys[i], batch.decoder.keys[i]);
      pairs.push_back({inputs[i], targets[i]});
    }
  } else {
    const auto sequences = rows_in(batch.inputs.tokens, batch.inputs.lengths);
    std::int64_t first = 0, predicted = 0;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      const std::int64_t prefix = batch.inputs.prefixes[i];
      const std::int64_t count = std::ssize(sequences[i]) - prefix + 1;
      const at::Tensor target = batch.targets.narrow(0, predicted, count);
      const at::Tensor rows = batch.target_rows.narrow(0, predicted, count);
      EXPECT_TRUE(at::equal(rows, at::arange(count) + first + prefix - 1));
      const auto row = sequences[i].begin();
      pairs.push_back({Tokens(row, row + prefix), rows_in(target, {count})[0]});
      // Behind the prefix stands the target, which each position before it predicts.
      EXPECT_EQ(Tokens(row + prefix, sequences[i].end()),
                Tokens(pairs.back().target.begin(), pairs.back().target.end() - 1));
      first += std::ssize(sequences[i]);
      predicted += count;
    }
    EXPECT_EQ(predicted, batch.targets.numel());
  }
  for (Pair& pair : pairs) {
    EXPECT_EQ(pair.input.back(), kEos);
    EXPECT_EQ(pair.target.back(), kEos);
    pair.input.pop_back();
    pair.target.pop_back();
  }
  return pairs;
}

// Puts what the target says behind each sentinel in the place of that sentinel.
Tokens restored(const Pair& pair) {
  std::vector<Tokens> spans;
  for (const std::int64_t token : pair.target) {
    if (is_sentinel(token)) {
      EXPECT_EQ(token, kFirstSentinel + std::ssize(spans)) << "sentinels are in order";
      spans.emplace_back();
    } else {
      spans.back().push_back(token);
    }
  }
  Tokens text;
  std::size_t next = 0;
  for (const std::int64_t token : pair.input) {
    if (!is_sentinel(token)) {
      text.push_back(token);
      continue;
    }
    EXPECT_EQ(token, kFirstSentinel + static_cast<std::int64_t>(next));
    EXPECT_FALSE(spans.at(next).empty());
    text.insert(text.end(), spans[next].begin(), spans[next].end());
    ++next;
  }
  EXPECT_EQ(next, spans.size());
  return text;
}

// Is `text` the input with some tokens in the place of each sentinel?
bool fills(const Tokens& input, const Tokens& text) {
  // The rows of `reach` say which prefixes of the text the input so far can stand for.
  std::vector<bool> reach(text.size() + 1);
  reach[0] = true;
  for (const std::int64_t token : input) {
    std::vector<bool> next(text.size() + 1);
    bool before = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      before = before || reach[i];
      next[i] = is_sentinel(token) ? before : i > 0 && reach[i - 1] && text[i - 1] == token;
    }
    reach = next;
  }
  return reach.back();
}

using Case = std::tuple<std::string, std::string>;
class SpanCorruptionTest : public ::testing::TestWithParam<Case> {
 protected:
  std::string model() const { return std::get<0>(GetParam()); }
  std::string variant() const { return std::get<1>(GetParam()); }
};

TEST_P(SpanCorruptionTest, GivesTheTextBack) {
  const auto objective = make_tiny(setup_of(model(), variant(), 48));
  const TokenBatch rows = testing::random_rows(*objective, kRows, kVocab);
  const std::int64_t width = rows.tokens.size(1);
  const auto texts = rows_in(rows.tokens, Tokens(kRows, width));
  const auto pairs = pairs_of(objective->prepare(rows), model() == "t5");
  ASSERT_EQ(pairs.size(), texts.size());
  std::int64_t unchanged = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (variant() == "spans" || variant() == "iid") {
      ASSERT_EQ(restored(pairs[i]), texts[i]);
    } else {
      ASSERT_EQ(pairs[i].target, texts[i]);
    }
    if (variant() == "deshuffle") {
      EXPECT_TRUE(std::is_permutation(texts[i].begin(), texts[i].end(), pairs[i].input.begin(),
                                      pairs[i].input.end()));
    }
    if (variant() == "infilling") {
      EXPECT_TRUE(fills(pairs[i].input, texts[i]));
      for (const std::int64_t token : pairs[i].input) {
        EXPECT_TRUE(token == kFirstSentinel || !is_sentinel(token));
      }
    }
    unchanged += pairs[i].input == texts[i];
  }
  EXPECT_EQ(unchanged, 0);
}

// Each document in a row of several is a pair of its own; what closes it in the corpus is left out.
TEST_P(SpanCorruptionTest, PiecesAreDocumentsOfTheirOwn) {
  const auto objective = make_tiny(setup_of(model(), variant(), 48));
  const TokenBatch rows =
      testing::in_pieces(testing::random_rows(*objective, kRows, kVocab), 10, kCorpusEos);
  const Batch batch = objective->prepare(rows);
  const auto pairs = pairs_of(batch, model() == "t5");
  Tokens lengths;
  for (const RowPiece& piece : rows.pieces) lengths.push_back(std::ssize(Tokens(piece.tokens)));
  const auto texts = rows_in(rows.tokens, lengths);
  std::size_t at = 0;
  for (Tokens text : texts) {
    text.pop_back();
    if (text.size() < 2) continue;
    const Pair& pair = pairs.at(at++);
    ASSERT_EQ(variant() == "spans" || variant() == "iid" ? restored(pair) : pair.target, text);
  }
  EXPECT_EQ(at, pairs.size());
  const std::set<std::uint64_t> keys(batch.inputs.keys.begin(), batch.inputs.keys.end());
  EXPECT_EQ(keys.size(), pairs.size());
}

// Whatever is drawn, a row has at most the positions that the network was built for.
TEST_P(SpanCorruptionTest, FitsTheSequenceLength) {
  for (const char* noise : {"0.15", "0.5", "0.9"}) {
    for (const char* mean_span : {"1", "3"}) {
      for (const std::int64_t length : {8, 9, 16, 21}) {
        const auto objective = make_tiny(
            setup_of(model(), variant(), length,
                     std::string(", noise_density: ") + noise + ", mean_span: " + mean_span));
        const Batch batch = objective->prepare(testing::random_rows(*objective, 100, kVocab));
        for (const Sequences* sequences : {&batch.inputs, &batch.decoder}) {
          for (const std::int64_t filled : sequences->lengths) {
            ASSERT_LE(filled, length) << noise << " " << mean_span;
          }
        }
        const at::NoGradGuard no_grad;
        ASSERT_TRUE(std::isfinite(objective->loss(batch)[0].item<double>()));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Variants, SpanCorruptionTest,
    ::testing::Combine(::testing::Values("t5", "gpt2"),
                       ::testing::Values("spans", "iid", "deshuffle", "infilling")),
    [](const auto& test) { return std::get<0>(test.param) + "_" + std::get<1>(test.param); });

TEST(SpanCorruption, FillsT5sLengths) {
  TinySetup setup = setup_of("t5", "spans", 512);
  setup.vocab_size = 1000;
  testing::expect_error(ExitCode::kBadConfig, "rows of 512 tokens need 90 sentinels",
                        [] { make_tiny(setup_of("t5", "iid", 513, ", noise_density: 0.15")); });
  testing::expect_error(ExitCode::kBadConfig, "rows of 568 tokens need 28 sentinels",
                        [&] { make_tiny(setup); });
  setup.objective_options = "mean_span: 10, sentinels: 10";
  setup.length = 100;
  const auto objective = make_tiny(setup);
  const Batch batch = objective->prepare(testing::random_rows(*objective, 3, 1000));
  for (const std::int64_t length : batch.inputs.lengths) EXPECT_EQ(length, 100);
}

TEST(SpanCorruption, RefusesRowsWithoutRoom) {
  testing::expect_error(ExitCode::kBadConfig, "data.sequence_length 4",
                        [] { make_tiny(setup_of("gpt2", "spans", 4)); });
}

}  // namespace
}  // namespace pretrain
