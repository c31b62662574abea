// Rows that a bos opens: what is seen, what is predicted, and that the loss is the likelihood of
// all tokens.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/objective.h"
#include "objectives/corruption/rows.h"
#include "objectives/decoding/scoring.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::random_rows;
using testing::TinySetup;

using Ids = std::vector<std::int64_t>;

constexpr std::int64_t kVocab = 50;
constexpr std::int64_t kEos = 0, kBos = 2;

TinySetup opened(bool document_mask) {
  TinySetup setup;
  setup.length = 6;
  setup.wrap = "bos_eos";
  setup.document_mask = document_mask;
  return setup;
}

TokenBatch rows(const std::vector<Ids>& tokens) {
  TokenBatch batch;
  std::vector<at::Tensor> all;
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    all.push_back(as_tensor(tokens[row]));
    batch.sample_ids.push_back(row);
  }
  batch.row_ids = batch.sample_ids;
  batch.epochs.assign(tokens.size(), 0);
  batch.tokens = at::stack(all);
  return batch;
}

Ids ids(const at::Tensor& tensor) {
  const auto* data = tensor.const_data_ptr<std::int64_t>();
  return {data, data + tensor.numel()};
}

const std::vector<Ids> kRows{{20, 21, kEos, 30, 31, kEos}, {40, kEos, 41, 42, 43, 44}};

TEST(CausalLm, ABosOpensRows) {
  const auto objective = make_tiny(opened(false));
  EXPECT_EQ(objective->row_shape().tokens, 6);
  EXPECT_EQ(objective->row_shape().overlap, 0) << "each token is the target of one row";
  const Batch batch = objective->prepare(rows(kRows));
  EXPECT_EQ(batch.inputs.lengths, (Ids{6, 6}));
  EXPECT_EQ(ids(batch.inputs.tokens),
            (Ids{kBos, 20, 21, kEos, 30, 31, kBos, 40, kEos, 41, 42, 43}));
  EXPECT_EQ(ids(batch.targets), (Ids{20, 21, kEos, 30, 31, kEos, 40, kEos, 41, 42, 43, 44}));
  EXPECT_EQ(batch.counts, Ids{12}) << "a bos is no target";
  EXPECT_EQ(batch.positions, 12);
}

TEST(CausalLm, ABosOpensDocumentsAndTheirEosClosesThem) {
  const auto objective = make_tiny(opened(true));
  const Batch batch = objective->prepare(rows(kRows));
  EXPECT_EQ(batch.inputs.lengths, (Ids{3, 3, 2, 4}));
  EXPECT_EQ(ids(batch.inputs.tokens),
            (Ids{kBos, 20, 21, kBos, 30, 31, kBos, 40, kBos, 41, 42, 43}));
  EXPECT_EQ(ids(batch.targets), (Ids{20, 21, kEos, 30, 31, kEos, 40, kEos, 41, 42, 43, 44}));
  EXPECT_EQ(batch.counts, Ids{12}) << "an eos counts once, a document cut by the row has none";
}

TEST(CausalLm, ABosOpensPieces) {
  const auto objective = make_tiny(opened(false));
  const Batch batch = objective->prepare(testing::in_pieces(rows({kRows[1]}), 4, kEos));
  EXPECT_EQ(batch.inputs.lengths, (Ids{4, 2}));
  EXPECT_EQ(ids(batch.inputs.tokens), (Ids{kBos, 40, kEos, 41, kBos, 43}));
  EXPECT_EQ(ids(batch.targets), (Ids{40, kEos, 41, kEos, 43, kEos}));
}

// So bits per byte mean something, with document_mask too.
TEST(CausalLm, BehindABosTheLossIsTheLikelihoodOfAllTokens) {
  const at::NoGradGuard no_grad;
  for (const bool document_mask : {false, true}) {
    const auto objective = make_tiny(opened(document_mask));
    EXPECT_TRUE(objective->is_likelihood());
    objective->eval();
    double expected = 0;
    for (const Ids& row : kRows) {
      for (const auto& text : documents_of(row, document_mask ? kEos : -1)) {
        for (const double log :
             log_likelihoods(objective->model(), Ids{kBos}, Ids(text.begin(), text.end()))) {
          expected -= log;
        }
      }
    }
    const double loss = objective->loss(objective->prepare(rows(kRows)))[0].item<double>();
    EXPECT_NEAR(loss, expected, 1e-4 * expected) << document_mask;
  }
}

}  // namespace
}  // namespace pretrain
