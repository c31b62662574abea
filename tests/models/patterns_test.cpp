// What positions may see of each other, for every model: by features and by gradients.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "core/optim/flat_buffer.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

using testing::as_sequences;
using testing::make_tiny;
using testing::TinySetup;

constexpr std::int64_t kVocab = 50;
constexpr std::int64_t kLength = 24;

struct Family {
  std::string objective, model, options;
};
void PrintTo(const Family& family, std::ostream* out) {
  *out << family.model << " " << family.options;
}

TinySetup setup_of(const Family& family) {
  TinySetup setup;
  setup.objective = family.objective;
  setup.model = family.model;
  setup.model_options = family.options;
  return setup;
}

const std::vector<Family> kFamilies{
    {"causal_lm", "gpt1", ""},
    {"causal_lm", "gpt2", ""},
    {"causal_lm", "gpt2", "position: sinusoidal, norm_place: post"},
    {"causal_lm", "gpt2", "position: alibi"},
    {"causal_lm", "gpt2", "window: 5"},
    {"causal_lm", "llama", ""},
    {"causal_lm", "llama", "kv_heads: 2, qk_norm: true, head_dim: 16, activation: relu2"},
    {"prefix_lm", "gpt2", ""},
    {"prefix_lm", "llama", "kv_heads: 1"},
    {"masked_lm", "bert", ""},
    {"masked_lm", "roberta", "embedding_size: 16"},
    {"replaced_token_detection", "electra", "embedding_size: 16"},
    {"span_corruption", "t5", ""},
    {"span_corruption", "t5", "activation: geglu, tie_embeddings: false, decoder_layers: 1"},
};

at::Tensor tokens_of(std::int64_t rows) {
  at::manual_seed(5);
  return at::randint(testing::kFirstOrdinary, kVocab, {rows, kLength}, at::kLong);
}

Sequences cut(const at::Tensor& tokens, const std::vector<std::int64_t>& lengths) {
  Sequences sequences;
  sequences.tokens = tokens.reshape(-1);
  sequences.lengths = lengths;
  for (std::size_t i = 0; i < lengths.size(); ++i) sequences.keys.push_back(100 + i);
  return sequences;
}

// One of several sequences on its own.
Sequences alone(const Sequences& all, std::size_t index) {
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < index; ++i) begin += all.lengths[i];
  Sequences one = cut(all.tokens.narrow(0, begin, all.lengths[index]), {all.lengths[index]});
  one.keys = {all.keys[index]};
  if (!all.prefixes.empty()) one.prefixes = {all.prefixes[index]};
  return one;
}

class PatternTest : public ::testing::TestWithParam<Family> {
 protected:
  Pattern pattern() const {
    const std::string& objective = GetParam().objective;
    if (objective == "prefix_lm") return Pattern::kPrefix;
    return objective == "causal_lm" ? Pattern::kCausal : Pattern::kBidirectional;
  }
};

// No attention across sequences, positions restart: a packed batch gives the features and gradients
// of its documents one by one.
TEST_P(PatternTest, PackedSequencesAreEachAlone) {
  at::set_num_threads(1);
  const auto objective = make_tiny(setup_of(GetParam()));
  Model& model = objective->model();
  FlatBuffer parameters(*objective);
  Sequences packed = cut(tokens_of(3), {7, 24, 1, 16, 24});
  if (pattern() == Pattern::kPrefix) packed.prefixes = {3, 24, 1, 1, 10};
  const bool decodes = model.kind() == ModelKind::kEncoderDecoder;
  const Sequences decoded = cut(tokens_of(1).narrow(1, 0, 16), {2, 1, 9, 1, 3});
  const auto run = [&](const Sequences& sequences, const Sequences& decoder) {
    const at::Tensor features = model.forward({sequences, pattern(), decodes ? &decoder : nullptr});
    features.square().sum().backward();
    return features.detach();
  };
  const at::Tensor together = run(packed, decoded);
  const at::Tensor gradient = parameters.gradients().clone();
  parameters.zero_gradients();
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < packed.lengths.size(); ++i) {
    parts.push_back(run(alone(packed, i), alone(decoded, i)));
  }
  EXPECT_LT((at::cat(parts) - together).abs().max().item<double>(), 2e-5);
  const double norm = gradient.norm().item<double>();
  EXPECT_LT((parameters.gradients() - gradient).norm().item<double>() / norm, 1e-5);
}

TEST_P(PatternTest, RecomputedActivationsGiveTheSameGradient) {
  at::set_num_threads(1);
  std::vector<at::Tensor> gradients;
  std::vector<double> bytes;
  for (const bool recompute : {false, true}) {
    TinySetup setup = setup_of(GetParam());
    setup.model_options += setup.model_options.empty() ? "dropout: 0.1" : ", dropout: 0.1";
    setup.recompute = recompute;
    const auto objective = make_tiny(setup);
    FlatBuffer parameters(*objective);
    const Batch batch = objective->prepare(testing::random_rows(*objective, 3, kVocab));
    for (const at::Tensor& loss : objective->loss(batch)) {
      if (loss.requires_grad()) loss.backward();
    }
    gradients.push_back(parameters.gradients().clone());
    bytes.push_back(objective->model().activation_bytes_per_token());
  }
  EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
  EXPECT_LT(bytes[1], bytes[0]);
}

// Masks of dropout depend on the sample alone: not on its place in the batch, not on threads.
TEST_P(PatternTest, DropoutIsDrawnByAddress) {
  TinySetup setup = setup_of(GetParam());
  setup.model_options += setup.model_options.empty() ? "" : ", ";
  setup.model_options += "dropout: 0.2, attention_dropout: 0.1";
  const auto objective = make_tiny(setup);
  Model& model = objective->model();
  const bool decodes = model.kind() == ModelKind::kEncoderDecoder;
  const at::NoGradGuard no_grad;
  Sequences packed = cut(tokens_of(2), {24, 16, 8});
  const auto run = [&](const Sequences& sequences) {
    return model.forward({sequences, pattern(), decodes ? &sequences : nullptr});
  };
  at::set_num_threads(2);
  const at::Tensor together = run(packed);
  at::set_num_threads(1);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < 3; ++i) parts.push_back(run(alone(packed, i)));
  EXPECT_LT((at::cat(parts) - together).abs().max().item<double>(), 2e-5);
  Sequences other = packed;
  other.keys = {7, 8, 9};
  EXPECT_GT((run(other) - together).abs().max().item<double>(), 1e-2);
  objective->eval();
  const at::Tensor still = run(packed);
  EXPECT_TRUE(at::equal(still, run(other)));
}

INSTANTIATE_TEST_SUITE_P(Families, PatternTest, ::testing::ValuesIn(kFamilies));

TEST(Patterns, APrefixOfOneIsCausalAndOfAllIsBothWays) {
  TinySetup setup;
  const auto objective = make_tiny(setup);
  const at::NoGradGuard no_grad;
  Sequences rows = as_sequences(tokens_of(2));
  const auto features = [&](Pattern pattern) {
    return objective->model().forward({rows, pattern});
  };
  const at::Tensor causal = features(Pattern::kCausal);
  const at::Tensor both_ways = features(Pattern::kBidirectional);
  rows.prefixes = {1, 1};
  EXPECT_TRUE(at::equal(features(Pattern::kPrefix), causal));
  rows.prefixes = {kLength, kLength};
  EXPECT_LT((features(Pattern::kPrefix) - both_ways).abs().max().item<double>(), 1e-6);
  // Position 9 of a prefix of 10 sees what comes before position 10, and nothing behind it.
  rows.prefixes = {10, 10};
  const at::Tensor before = features(Pattern::kPrefix);
  rows.tokens = rows.tokens.clone();
  rows.tokens[10].add_(1).remainder_(kVocab);
  const at::Tensor after = features(Pattern::kPrefix);
  EXPECT_TRUE(at::equal(before.narrow(0, 0, 10), after.narrow(0, 0, 10)));
  EXPECT_FALSE(at::equal(before[10], after[10]));
  rows.tokens[9].add_(1).remainder_(kVocab);
  EXPECT_FALSE(at::equal(after[0], features(Pattern::kPrefix)[0]));
}

TEST(Patterns, AWindowSeesSoManyPositionsBack) {
  TinySetup setup;
  setup.model_options = "window: 4";
  setup.layers = 1;
  const auto objective = make_tiny(setup);
  const at::NoGradGuard no_grad;
  Sequences row = as_sequences(tokens_of(1));
  const at::Tensor before = objective->model().forward({row});
  row.tokens = row.tokens.clone();
  row.tokens[5].add_(1).remainder_(kVocab);
  const at::Tensor after = objective->model().forward({row});
  for (std::int64_t t = 0; t < kLength; ++t) {
    EXPECT_EQ(at::equal(before[t], after[t]), t < 5 || t > 8) << "position " << t;
  }
}

TEST(Patterns, ACacheGivesTheSameFeaturesForEveryDecoder) {
  for (const Family& family : kFamilies) {
    if (family.objective != "causal_lm") continue;
    const auto objective = make_tiny(setup_of(family));
    const at::NoGradGuard no_grad;
    const Sequences row = as_sequences(tokens_of(1));
    const at::Tensor whole = objective->model().forward({row});
    KeyValueCache cache;
    std::int64_t begin = 0;
    for (const std::int64_t count : {9, 1, 1, 13}) {
      const Sequences part = cut(row.tokens.narrow(0, begin, count), {count});
      const at::Tensor features =
          objective->model().forward({part, Pattern::kCausal, nullptr, &cache});
      EXPECT_LT((features - whole.narrow(0, begin, count)).abs().max().item<double>(), 2e-5)
          << family.model << " " << family.options << " at " << begin;
      begin += count;
    }
  }
}

// One token at a time, at positions that go on where the cache ends.
TEST(Patterns, ACacheGivesTheSameFeaturesForEveryEncoderDecoder) {
  for (const char* position : {"relative", "learned", "sinusoidal", "rotary"}) {
    testing::TinySetup setup;
    setup.model = "t5";
    setup.objective = "span_corruption";
    setup.model_options = concat("position: ", position);
    const auto objective = make_tiny(setup);
    const at::NoGradGuard no_grad;
    const Sequences source = as_sequences(tokens_of(1)), row = source;
    const at::Tensor whole = objective->model().forward({source, Pattern::kBidirectional, &row});
    KeyValueCache cache;
    for (std::int64_t t = 0; t < 8; ++t) {
      const Sequences part = cut(row.tokens.narrow(0, t, 1), {1});
      const at::Tensor features =
          objective->model().forward({source, Pattern::kBidirectional, &part, &cache});
      EXPECT_LT((features - whole.narrow(0, t, 1)).abs().max().item<double>(), 2e-5)
          << position << " at " << t;
    }
  }
}

}  // namespace
}  // namespace pretrain
