#include "objectives/decoding/beam_search.h"

#include <gtest/gtest.h>

#include <cmath>

#include "objectives/decoding/generation.h"
#include "objectives/decoding/scoring.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::TinySetup;

std::unique_ptr<Objective> tiny(const std::string& objective, std::int64_t vocab_size = 24) {
  TinySetup setup;
  setup.objective = objective;
  setup.vocab_size = vocab_size;
  setup.model_options = "init_std: 0.5, init: normal";
  auto made = make_tiny(setup);
  made->eval();
  return made;
}

double total(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

TEST(BeamSearch, OneBeamIsGreedy) {
  const auto objective = tiny("causal_lm");
  SamplingOptions greedy;
  greedy.temperature = 0;
  const auto expected =
      generate(objective->model(), {5, 6}, 8, greedy, -1, 0, [](std::int64_t) { return true; });
  BeamOptions options;
  options.beams = 1;
  options.tokens = 8;
  const auto found = beam_search(DecoderState(objective->model(), {}), {5, 6}, options);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].tokens, expected);
  EXPECT_NEAR(found[0].log_probability,
              total(log_likelihoods(objective->model(), {5, 6}, expected)), 1e-4);
}

// With as many beams as there are texts the search is complete: compare with all texts of 3 tokens.
TEST(BeamSearch, EnoughBeamsFindTheBestOfAllTexts) {
  for (const std::string name : {"causal_lm", "span_corruption"}) {
    const auto objective = tiny(name, 20);
    Model& model = objective->model();
    const bool decodes = model.kind() == ModelKind::kEncoderDecoder;
    const std::vector<std::int64_t> source =
        decodes ? std::vector<std::int64_t>{7, 9, 3} : std::vector<std::int64_t>();
    double best = -INFINITY;
    std::vector<std::int64_t> best_text;
    for (std::int64_t a = 0; a < 20; ++a) {
      for (std::int64_t b = 0; b < 20; ++b) {
        const std::vector<std::int64_t> text{a, b};
        const double log = decodes ? total(log_likelihoods(model, source, text, 1))
                                   : total(log_likelihoods(model, {1}, text));
        if (log > best) {
          best = log;
          best_text = text;
        }
      }
    }
    BeamOptions options;
    options.beams = 20;
    options.tokens = 2;
    const auto found = beam_search(DecoderState(model, source), {1}, options);
    EXPECT_EQ(found[0].tokens, best_text) << name;
    EXPECT_NEAR(found[0].log_probability, best, 1e-4) << name;
    for (std::size_t i = 1; i < found.size(); ++i) {
      EXPECT_GE(found[i - 1].score(1), found[i].score(1));
    }
  }
}

TEST(BeamSearch, EndedTextsCompeteByTheirMeanLogProbability) {
  const auto objective = tiny("causal_lm");
  BeamOptions options;
  options.beams = 4;
  options.tokens = 12;
  options.stop_id = 3;
  for (const Hypothesis& found : beam_search(DecoderState(objective->model(), {}), {5}, options)) {
    std::vector<std::int64_t> text = found.tokens;
    if (found.ended) text.push_back(3);
    EXPECT_EQ(std::count(found.tokens.begin(), found.tokens.end(), 3), 0);
    EXPECT_NEAR(found.log_probability, total(log_likelihoods(objective->model(), {5}, text)), 1e-4);
  }
}

TEST(Scoring, PseudoLikelihoodHidesEachTokenInTurn) {
  const auto objective = tiny("masked_lm", 30);
  Model& model = objective->model();
  const std::vector<std::int64_t> row{2, 20, 21, 22, 3};
  const auto logs = pseudo_log_likelihoods(model, row, 1, 4, 4);
  ASSERT_EQ(logs.size(), 3u);
  for (std::int64_t at = 1; at < 4; ++at) {
    std::vector<std::int64_t> hidden = row;
    hidden[static_cast<std::size_t>(at)] = 4;
    double chance = 0;
    const auto fillings = fill_masks(model, hidden, 4, 30);
    for (const Filling& filling : fillings[0]) {
      if (filling.token == row[static_cast<std::size_t>(at)]) chance = filling.probability;
    }
    EXPECT_NEAR(std::exp(logs[static_cast<std::size_t>(at) - 1]), chance, 1e-6);
  }
}

TEST(Scoring, ReplacedTokensAreToldByElectraAlone) {
  const auto electra = tiny("replaced_token_detection", 30);
  for (const double chance : replaced_probabilities(electra->model(), {2, 20, 21, 3})) {
    EXPECT_GT(chance, 0);
    EXPECT_LT(chance, 1);
  }
  const auto bert = tiny("masked_lm", 30);
  testing::expect_error(ExitCode::kUsage, "an encoder with a generator", [&] {
    replaced_probabilities(bert->model(), {2, 20, 3});
  });
  testing::expect_error(ExitCode::kUsage, "which writes no text",
                        [&] { DecoderState(bert->model(), {}); });
}

}  // namespace
}  // namespace pretrain
