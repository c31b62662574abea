// Masked language modelling (Devlin et al. 2018): predict chosen tokens from all others. With
// next_sentence or sentence_order a second term classifies pairs of sentences.

#include <ATen/ops/cross_entropy_loss.h>

#include "core/objective.h"
#include "objectives/corruption/masking.h"
#include "objectives/corruption/rows.h"
#include "objectives/token_loss.h"

namespace pretrain {
namespace {

class MaskedLm : public Objective {
 public:
  struct Options {
    MaskingOptions masking;
    TokenLossOptions loss;
    bool next_sentence = false;
    bool sentence_order = false;
    void visit(OptionVisitor& visitor) {
      masking.visit(visitor);
      loss.visit(visitor);
      visitor.option("next_sentence", next_sentence,
                     {.meaning = "does B follow A, or does it begin another row? (half each)",
                      .identity = true});
      visitor.option(
          "sentence_order", sentence_order,
          {.meaning = "are A and B in order? (half each; Lan et al. 2019)", .identity = true});
    }
  };

  MaskedLm(const Options& options, const ObjectiveContext& context)
      : options_(options),
        masking_(options.masking, require_kind(context, "masked_lm", {ModelKind::kEncoder}),
                 "masked_lm"),
        length_(context.sequence_length),
        special_(context.special),
        document_end_(context.document_mask ? context.special.eos : -1),
        model_(register_module("model", context.model)) {
    terms_ = {{"mlm", 1.0}};
    if (!has_pairs()) return;
    if (context.document_mask) {
      fail(ExitCode::kBadConfig, "data.document_mask: objective.", pair_term(),
           " cuts each row into a pair of texts, which must see each other. Remove the one or the "
           "other");
    }
    if (options.next_sentence && options.sentence_order) {
      fail(ExitCode::kBadConfig,
           "objective.next_sentence and objective.sentence_order: give at most one");
    }
    if (special_.cls < 0 || special_.sep < 0) {
      fail(ExitCode::kBadConfig, "objective.", pair_term(),
           ": a pair needs [CLS] and [SEP]: data.wrap none leaves them out, or the tokenizer has "
           "none. Use data.wrap=auto, and --special bert with pretrain tokenizer train or, with "
           "byte and char, pretrain corpus build");
    }
    if (!model_->has_sequence_head()) {
      fail(ExitCode::kBadConfig, "objective.", pair_term(), ": model.name ", context.model_name,
           " has no head for pairs of sentences. Choose bert or roberta with model.pooler=true");
    }
    terms_.push_back({pair_term(), 1.0});
  }

  const std::vector<LossTerm>& terms() const override { return terms_; }
  bool needs_others() const override { return options_.next_sentence; }

  // A row and the marks around it fill sequence_length.
  RowShape row_shape() const override {
    const std::int64_t marks = has_pairs() ? 3 : (special_.cls >= 0) + (special_.sep >= 0);
    return {std::max<std::int64_t>(1, length_ - marks), 0, marks, !has_pairs()};
  }

  Batch prepare(const TokenBatch& tokens) const override {
    Batch batch;
    SequenceBuilder builder;
    std::vector<std::int64_t> rows, targets, labels;
    const bool documents = document_end_ >= 0 || !tokens.pieces.empty();
    const std::vector<Row> all = rows_of(tokens);
    builder.reserve(tokens.tokens.numel() + row_shape().marks * std::ssize(all));
    for (const Row& row : all) {
      std::int64_t start = row.start;
      for (const auto& part : parts_of(row.tokens)) {
        RandomStream random = masking_.stream(tokens, row.index, start);
        const std::int64_t first = builder.size();
        builder.begin(sequence_key(row.sample_id, start));
        if (has_pairs()) {
          labels.push_back(add_pair(builder, part, tokens, row.index, random));
        } else {
          if (special_.cls >= 0) builder.add(special_.cls);
          builder.add(part);
          const bool closed = documents && part.back() == special_.sep;
          if (special_.sep >= 0 && !closed) builder.add(special_.sep);
        }
        mask(builder, first, random, rows, targets);
        start += static_cast<std::int64_t>(part.size());
      }
    }
    batch.positions = batch.real_tokens = builder.size();
    batch.inputs = builder.take();
    batch.target_rows = as_tensor(rows);
    batch.targets = as_tensor(targets);
    batch.counts = {static_cast<std::int64_t>(targets.size())};
    if (has_pairs()) {
      batch.labels = as_tensor(labels);
      batch.counts.push_back(static_cast<std::int64_t>(labels.size()));
    }
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    const at::Tensor features = model_->forward({batch.inputs, Pattern::kBidirectional});
    std::vector<at::Tensor> losses{token_loss(*model_, features, batch, options_.loss)};
    if (!has_pairs()) return losses;
    std::vector<std::int64_t> firsts{0};
    for (const std::int64_t length : batch.inputs.lengths) firsts.push_back(firsts.back() + length);
    firsts.pop_back();
    const at::Tensor first = features.index_select(0, as_tensor(firsts).to(features.device()));
    losses.push_back(at::cross_entropy_loss(model_->sequence_logits(first), batch.labels, {},
                                            at::Reduction::Sum));
    return losses;
  }

  double flops_per_token(std::int64_t length) const override {
    const double predicted = options_.masking.mask_prob * head_flops(*model_);
    return 3.0 * (model_->body_flops_per_token(length) + predicted);
  }

  bool is_likelihood() const override { return false; }
  Model& model() override { return *model_; }

 private:
  bool has_pairs() const { return options_.next_sentence || options_.sentence_order; }
  const char* pair_term() const {
    return options_.next_sentence ? "next_sentence" : "sentence_order";
  }

  std::vector<std::span<const std::int64_t>> parts_of(std::span<const std::int64_t> row) const {
    if (document_end_ < 0 || has_pairs()) return {row};
    return documents_of(row, document_end_);
  }

  // [CLS] A [SEP] B [SEP], cut at a random place. Returns 1 if B is not what followed A.
  std::int64_t add_pair(SequenceBuilder& builder, std::span<const std::int64_t> row,
                        const TokenBatch& tokens, std::size_t r, RandomStream& random) const {
    const std::size_t cut = 1 + random.below(row.size() > 1 ? row.size() - 1 : 1);
    const bool wrong = random.below(2) == 1;
    std::span<const std::int64_t> a = row.first(cut), b = row.subspan(cut);
    if (wrong && options_.sentence_order) std::swap(a, b);
    if (wrong && options_.next_sentence) {
      const auto width = static_cast<std::size_t>(tokens.others.size(1));
      b = std::span(tokens.others.const_data_ptr<std::int64_t>() + r * width, width)
              .first(b.size());
    }
    builder.add(special_.cls);
    builder.add(a);
    builder.add(special_.sep);
    builder.add(b, 1);
    builder.add(special_.sep, 1);
    return wrong ? 1 : 0;
  }

  void mask(SequenceBuilder& builder, std::int64_t first, RandomStream& random,
            std::vector<std::int64_t>& rows, std::vector<std::int64_t>& targets) const {
    for (const std::int64_t at : masking_.choose(builder.tokens_from(first), random)) {
      rows.push_back(first + at);
      targets.push_back(builder.token(first + at));
      builder.token(first + at) = masking_.hide(targets.back(), random);
    }
  }

  Options options_;
  Masking masking_;
  std::int64_t length_;
  SpecialTokens special_;
  std::int64_t document_end_;
  std::vector<LossTerm> terms_;
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<MaskedLm>("masked_lm");

}  // namespace
}  // namespace pretrain
