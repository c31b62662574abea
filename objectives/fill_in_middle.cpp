// Fill in the middle (Bavarian et al. 2022): a share of the rows is cut at two random places and
// its middle moved to the end, so that a causal model learns to fill gaps.

#include <algorithm>

#include "core/base/random.h"
#include "core/objective.h"
#include "objectives/corruption/rows.h"
#include "objectives/token_loss.h"

namespace pretrain {
namespace {

class FillInMiddle : public Objective {
 public:
  struct Options {
    double rate = 0.5;
    double suffix_first = 0.5;
    TokenLossOptions loss;
    void visit(OptionVisitor& visitor) {
      visitor.option("fim_rate", rate,
                     {.meaning = "rows that are rearranged", .min = 0, .max = 1, .identity = true});
      visitor.option(
          "fim_suffix_first", suffix_first,
          {.meaning =
               "of them in the order PRE SUF suffix MID prefix middle (variant 2 of the paper)",
           .min = 0,
           .max = 1,
           .identity = true});
      loss.visit(visitor);
    }
  };

  FillInMiddle(const Options& options, const ObjectiveContext& context)
      : options_(options),
        seed_(context.seed),
        length_(context.sequence_length),
        document_end_(context.document_mask ? context.special.eos : -1),
        special_(context.special),
        model_(register_module("model", context.model)) {
    require_kind(context, "fill_in_middle", {ModelKind::kDecoder});
    if (std::min({special_.fim_prefix, special_.fim_middle, special_.fim_suffix}) < 0) {
      fail(ExitCode::kBadConfig,
           "objective.name fill_in_middle: the tokenizer lacks <|fim_prefix|>, <|fim_middle|> or "
           "<|fim_suffix|>. Add --special fim, to pretrain tokenizer train or, with byte and "
           "char, to pretrain corpus build");
    }
    if (length_ < 8) {
      fail(ExitCode::kBadConfig, "data.sequence_length ", length_,
           ": fill_in_middle needs rows of at least 8 tokens");
    }
  }

  const std::vector<LossTerm>& terms() const override {
    static const std::vector<LossTerm> terms{{"lm", 1.0}};
    return terms;
  }

  RowShape row_shape() const override { return predicted_rows(length_, special_.bos); }

  // Rearranged or not, a text has at most length + 1 tokens: in one that fills the row, three marks
  // take the place of its last three. What closes a document stays at its end.
  Batch prepare(const TokenBatch& tokens) const override {
    Batch batch;
    SequenceBuilder builder;
    std::vector<std::int64_t> targets;
    const std::int64_t end = tokens.pieces.empty() ? document_end_ : special_.eos;
    const std::size_t opening = special_.bos >= 0 ? 1 : 0;
    for (const auto& [text, key] : texts_of(tokens, document_end_, special_.bos)) {
      if (text.size() < 2) continue;  // nothing to predict
      RandomStream random(seed_, RandomPurpose::kObjective, key);
      const std::size_t closing = text.back() == end ? 1 : 0;
      const auto middle = std::span(text).subspan(opening, text.size() - opening - closing);
      std::vector<std::int64_t> shown(text.begin(), text.begin() + std::ptrdiff_t(opening));
      rearrange(middle, static_cast<std::size_t>(length_) + 1 - opening - closing, random, shown);
      if (closing > 0) shown.push_back(end);
      builder.begin(key);
      builder.add(std::span<const std::int64_t>(shown).first(shown.size() - 1));
      targets.insert(targets.end(), shown.begin() + 1, shown.end());
    }
    batch.positions = batch.real_tokens = builder.size();
    batch.inputs = builder.take();
    batch.targets = as_tensor(targets);
    batch.counts = {static_cast<std::int64_t>(targets.size())};
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    if (batch.inputs.lengths.empty()) return {no_loss(*model_)};
    return {token_loss(*model_, model_->forward({batch.inputs}), batch, options_.loss)};
  }

  double flops_per_token(std::int64_t length) const override {
    return 3.0 * (model_->body_flops_per_token(length) + head_flops(*model_));
  }

  bool is_likelihood() const override { return false; }  // of a rearranged text
  Model& model() override { return *model_; }

 private:
  // Appends at most `room` tokens: those at the end of the text are left out.
  void rearrange(std::span<const std::int64_t> whole, std::size_t room, RandomStream& random,
                 std::vector<std::int64_t>& out) const {
    if (whole.empty() || random.uniform() >= options_.rate) {
      out.insert(out.end(), whole.begin(), whole.end());
      return;
    }
    const auto text = whole.first(std::min(whole.size(), room - 3));
    std::size_t a = random.below(text.size() + 1), b = random.below(text.size() + 1);
    if (a > b) std::swap(a, b);
    const auto add = [&](std::int64_t mark, std::span<const std::int64_t> part) {
      out.push_back(mark);
      out.insert(out.end(), part.begin(), part.end());
    };
    if (random.uniform() < options_.suffix_first) {
      add(special_.fim_prefix, {});
      add(special_.fim_suffix, text.subspan(b));
      add(special_.fim_middle, text.first(b));  // prefix and middle stand together
    } else {
      add(special_.fim_prefix, text.first(a));
      add(special_.fim_suffix, text.subspan(b));
      add(special_.fim_middle, text.subspan(a, b - a));
    }
  }

  Options options_;
  std::uint64_t seed_;
  std::int64_t length_;
  std::int64_t document_end_;  // -1: rows are cut nowhere
  SpecialTokens special_;
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<FillInMiddle>("fill_in_middle");

}  // namespace
}  // namespace pretrain
