// What every registered objective must do on every registered model: train on it, or refuse it with
// a reason.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/optim/flat_buffer.h"
#include "core/optimizer.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::TinySetup;

constexpr std::int64_t kVocab = 50;

const std::set<std::pair<std::string, std::string>> kFitting{
    {"causal_lm", "gpt1"},       {"causal_lm", "gpt2"},
    {"causal_lm", "llama"},      {"fill_in_middle", "gpt1"},
    {"fill_in_middle", "gpt2"},  {"fill_in_middle", "llama"},
    {"masked_lm", "bert"},       {"masked_lm", "roberta"},
    {"mixture", "gpt1"},         {"mixture", "gpt2"},
    {"mixture", "llama"},        {"prefix_lm", "gpt1"},
    {"prefix_lm", "gpt2"},       {"prefix_lm", "llama"},
    {"prefix_lm", "t5"},         {"span_corruption", "gpt1"},
    {"span_corruption", "gpt2"}, {"span_corruption", "llama"},
    {"span_corruption", "t5"},   {"replaced_token_detection", "electra"},
};

using Pair = std::tuple<std::string, std::string>;

class ObjectiveModelTest : public ::testing::TestWithParam<Pair> {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    std::tie(setup_.objective, setup_.model) = GetParam();
  }
  bool fits() const { return kFitting.contains({setup_.objective, setup_.model}); }
  TinySetup setup_;
};

TEST_P(ObjectiveModelTest, TrainsOrRefuses) {
  if (!fits()) {
    try {
      make_tiny(setup_);
      ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadConfig);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("model.name " + setup_.model + " is "));
      EXPECT_THAT(error.what(), ::testing::HasSubstr("Choose another model.name"));
    }
    return;
  }
  const auto objective = make_tiny(setup_);
  FlatBuffer parameters(*objective);
  const auto optimizer = optimizers().create("adamw", OptimizerContext{&parameters, 0.0});
  const Batch batch = objective->prepare(testing::random_rows(*objective, 8, kVocab));
  const auto& terms = objective->terms();
  ASSERT_EQ(batch.counts.size(), terms.size());
  std::vector<double> means;
  for (int step = 0; step < 60; ++step) {
    parameters.zero_gradients();
    const auto losses = objective->loss(batch);
    ASSERT_EQ(losses.size(), terms.size());
    at::Tensor total = at::zeros({});
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (batch.counts[i] > 0) {
        total = total + losses[i] * (terms[i].weight / static_cast<double>(batch.counts[i]));
      }
    }
    total.backward();
    ASSERT_TRUE(std::isfinite(total.item<double>()));
    optimizer->step(3e-3, 1.0);
    means.push_back(losses[0].item<double>() / static_cast<double>(batch.counts[0]));
  }
  // The first term is of tokens: a fresh model guesses, a trained one does better.
  // T5's table has unit variance, and so have the first logits: half of it comes on top.
  const double guess = std::log(kVocab) + (setup_.model == "t5" ? 0.8 : 0.0);
  EXPECT_NEAR(means.front(), guess, 0.35);
  EXPECT_LT(means.back(), 0.9 * means.front());
}

using FittingPairTest = ObjectiveModelTest;

// What is prepared depends on each sample alone: not on the others in the batch, not on calls
// before.
TEST_P(FittingPairTest, PreparesEachSampleByItsAddress) {
  const auto objective = make_tiny(setup_);
  const Batch together = objective->prepare(testing::random_rows(*objective, 6, kVocab));
  std::vector<at::Tensor> tokens, targets;
  std::int64_t count = 0;
  for (std::uint64_t sample = 0; sample < 6; ++sample) {
    const Batch one = objective->prepare(testing::random_rows(*objective, 1, kVocab, sample));
    count += one.counts[0];
    if (!one.parts.empty()) continue;  // a mixture's parts are tested as objectives
    tokens.push_back(one.inputs.tokens);
    targets.push_back(one.targets);
    EXPECT_EQ(one.inputs.keys[0], together.inputs.keys[sample]);
  }
  EXPECT_EQ(count, together.counts[0]);
  if (tokens.empty()) return;
  EXPECT_TRUE(at::equal(at::cat(tokens), together.inputs.tokens));
  EXPECT_TRUE(at::equal(at::cat(targets), together.targets));
}

// Documents of ordinary tokens from ranges of their own, so that a token tells its document.
constexpr std::int64_t kDocumentIds = 8;

TokenBatch rows_of_documents(const Objective& objective, std::int64_t eos) {
  TokenBatch batch = testing::random_rows(objective, 16, kVocab);
  const std::int64_t width = batch.tokens.size(1);
  auto* token = batch.tokens.mutable_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < 16; ++row) {
    for (std::int64_t i = 0; i < width; ++i, ++token) {
      // Documents of 1 to 9 tokens before their eos, an empty one, and one that goes on.
      const bool closes = i == row % 10 || i == row % 10 + 1 || i == 13;
      const std::int64_t document = i <= row % 10 ? 0 : i <= 13 ? 1 : 2;
      *token =
          closes ? eos : testing::kFirstOrdinary + kDocumentIds * document + *token % kDocumentIds;
    }
  }
  return batch;
}

void expect_one_document_each(const Sequences& sequences) {
  const auto* token = sequences.tokens.const_data_ptr<std::int64_t>();
  for (const std::int64_t length : sequences.lengths) {
    std::set<std::int64_t> documents;
    for (std::int64_t i = 0; i < length; ++i, ++token) {
      if (*token >= testing::kFirstOrdinary) {
        documents.insert((*token - testing::kFirstOrdinary) / kDocumentIds);
      }
    }
    EXPECT_LE(documents.size(), 1);
  }
}

TEST_P(FittingPairTest, SequencesEndWithDocuments) {
  setup_.document_mask = true;
  if (setup_.objective == "masked_lm") setup_.objective_options = "random_share: 0";
  const auto objective = make_tiny(setup_);
  const std::int64_t eos = testing::tiny_special_tokens(kVocab).eos;
  const Batch batch = objective->prepare(rows_of_documents(*objective, eos));
  std::vector<Batch> parts = batch.parts;
  if (parts.empty()) parts = {batch};
  for (const Batch& part : parts) {
    EXPECT_GT(part.inputs.lengths.size(), part.sample_ids.size());
    expect_one_document_each(part.inputs);
    if (part.decoder.tokens.defined()) {
      EXPECT_EQ(part.decoder.lengths.size(), part.inputs.lengths.size());
      expect_one_document_each(part.decoder);
    }
  }
  EXPECT_FALSE(objective->is_likelihood()) << "the first token of a document is not predicted";
  const at::NoGradGuard no_grad;
  for (const at::Tensor& loss : objective->loss(batch))
    EXPECT_TRUE(std::isfinite(loss.item<double>()));
}

// Marks go round every sequence, take their place within its row and are no targets.
TEST_P(FittingPairTest, WrapsEverySequence) {
  const SpecialTokens special = testing::tiny_special_tokens(kVocab);
  for (const bool document_mask : {false, true}) {
    for (const std::string wrap : {"auto", "none", "bos_eos"}) {
      TinySetup setup = setup_;
      setup.document_mask = document_mask;
      setup.wrap = wrap;
      const auto objective = make_tiny(setup);
      const ModelKind kind = objective->model().kind();
      const bool encoder = kind == ModelKind::kEncoder || kind == ModelKind::kReplacedTokens;
      if (wrap == "bos_eos" && kind != ModelKind::kDecoder) continue;  // refused by its data
      const Batch batch = objective->prepare(rows_of_documents(*objective, special.eos));
      std::vector<Batch> parts = batch.parts;
      if (parts.empty()) parts = {batch};
      for (const Batch& part : parts) {
        EXPECT_EQ(part.targets.eq(special.cls).sum().item<std::int64_t>(), 0);
        const auto* token = part.inputs.tokens.const_data_ptr<std::int64_t>();
        for (const std::int64_t length : part.inputs.lengths) {
          const bool opens = wrap == "bos_eos" || (encoder && wrap == "auto");
          EXPECT_EQ(std::count(token, token + length, special.cls), opens ? 1 : 0) << wrap;
          EXPECT_EQ(*token == special.cls, opens) << wrap;
          if (encoder) {
            EXPECT_EQ(token[length - 1] == special.sep, opens) << wrap;
          }
          if (!document_mask) {
            EXPECT_LE(length, setup.length) << wrap;
          }
          token += length;
        }
      }
    }
  }
}

// Nothing can be predicted where documents are single tokens; a step over them changes nothing.
TEST_P(FittingPairTest, RowsWithoutTextCostNothing) {
  setup_.document_mask = true;
  const auto objective = make_tiny(setup_);
  TokenBatch rows = testing::random_rows(*objective, 2, kVocab);
  rows.tokens.fill_(testing::tiny_special_tokens(kVocab).eos);
  const Batch batch = objective->prepare(rows);
  EXPECT_EQ(batch.counts[0], 0);
  at::Tensor total = at::zeros({});
  for (const at::Tensor& loss : objective->loss(batch)) total = total + loss;
  total.backward();
  if (batch.counts.size() == 1) {
    EXPECT_EQ(total.item<double>(), 0);
  }
}

std::string pair_name(const ::testing::TestParamInfo<Pair>& test) {
  return std::get<0>(test.param) + "_" + std::get<1>(test.param);
}

std::vector<std::string> shipped_objectives() {
  std::vector<std::string> names = objectives().names();
  std::erase(names, "skip_one_lm");  // a test's own
  return names;
}

INSTANTIATE_TEST_SUITE_P(Pairs, ObjectiveModelTest,
                         ::testing::Combine(::testing::ValuesIn(shipped_objectives()),
                                            ::testing::ValuesIn(models().names())),
                         pair_name);
INSTANTIATE_TEST_SUITE_P(Pairs, FittingPairTest,
                         ::testing::ValuesIn(std::vector<Pair>(kFitting.begin(), kFitting.end())),
                         pair_name);

}  // namespace
}  // namespace pretrain
