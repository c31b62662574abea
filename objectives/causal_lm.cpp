// Causal language modelling: predict each token from those before it.

#include "core/objective.h"
#include "objectives/corruption/rows.h"
#include "objectives/token_loss.h"

namespace pretrain {
namespace {

class CausalLm : public Objective {
 public:
  using Options = TokenLossOptions;

  CausalLm(const Options& options, const ObjectiveContext& context)
      : options_(options),
        length_(context.sequence_length),
        document_end_(context.document_mask ? context.special.eos : -1),
        bos_(context.special.bos),
        model_(register_module("model", context.model)) {
    require_kind(context, "causal_lm", {ModelKind::kDecoder});
  }

  const std::vector<LossTerm>& terms() const override {
    static const std::vector<LossTerm> terms{{"lm", 1.0}};
    return terms;
  }

  RowShape row_shape() const override { return predicted_rows(length_, bos_); }

  Batch prepare(const TokenBatch& tokens) const override {
    if (bos_ >= 0) return prepare_opened(tokens);
    if (document_end_ >= 0 || !tokens.pieces.empty()) return prepare_documents(tokens);
    const std::int64_t rows = tokens.tokens.size(0);
    const std::int64_t length = tokens.tokens.size(1) - 1;
    Batch batch;
    batch.inputs.tokens = tokens.tokens.narrow(1, 0, length).reshape(-1);
    batch.inputs.lengths.assign(static_cast<std::size_t>(rows), length);
    for (const std::uint64_t id : tokens.sample_ids) {
      batch.inputs.keys.push_back(sequence_key(id, 0));
    }
    batch.targets = tokens.tokens.narrow(1, 1, length).reshape(-1);
    batch.counts = {rows * length};
    batch.sample_ids = tokens.sample_ids;
    batch.positions = batch.real_tokens = rows * length;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    return {token_loss(*model_, model_->forward({batch.inputs}), batch, options_)};
  }

  double flops_per_token(std::int64_t length) const override {
    return 3.0 * (model_->body_flops_per_token(length) + head_flops(*model_));
  }

  // Without a bos nothing predicts the first token of a document that sees no other.
  bool is_likelihood() const override { return document_end_ < 0 || bos_ >= 0; }
  Model& model() override { return *model_; }

 private:
  // The last token of a text predicts nothing: another bos comes behind it.
  Batch prepare_opened(const TokenBatch& tokens) const {
    Batch batch;
    SequenceBuilder builder;
    std::vector<std::int64_t> targets;
    for (const Text& text : texts_of(tokens, document_end_, bos_)) {
      builder.begin(text.key);
      builder.add(std::span(text.tokens).first(text.tokens.size() - 1));
      targets.insert(targets.end(), text.tokens.begin() + 1, text.tokens.end());
    }
    batch.positions = batch.real_tokens = builder.size();
    batch.inputs = builder.take();
    batch.targets = as_tensor(targets);
    batch.counts = {batch.positions};
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  // Each piece is a sequence of its own; with document_mask each document of it. The eos that
  // closes one is predicted, and predicts nothing.
  Batch prepare_documents(const TokenBatch& tokens) const {
    Batch batch;
    SequenceBuilder builder;
    std::vector<std::int64_t> targets;
    std::int64_t count = 0;
    for (const Row& row : rows_of(tokens)) {
      std::int64_t start = 0;
      for (const auto& document :
           documents_of(row.tokens.first(row.tokens.size() - 1), document_end_)) {
        builder.begin(sequence_key(row.sample_id, row.start + start));
        builder.add(document);
        for (std::size_t i = 0; i < document.size(); ++i) {
          const bool closes = document_end_ >= 0 && document[i] == document_end_;
          targets.push_back(closes ? kNoTarget
                                   : row.tokens[static_cast<std::size_t>(start) + i + 1]);
          count += closes ? 0 : 1;
        }
        start += static_cast<std::int64_t>(document.size());
      }
    }
    batch.positions = batch.real_tokens = builder.size();
    batch.inputs = builder.take();
    batch.targets = as_tensor(targets);
    batch.counts = {count};
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  Options options_;
  std::int64_t length_;
  std::int64_t document_end_;  // -1: rows are cut nowhere
  std::int64_t bos_;           // -1: nothing opens a text
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<CausalLm>("causal_lm");

}  // namespace
}  // namespace pretrain
