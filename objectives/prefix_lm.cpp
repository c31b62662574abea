// Prefix language modelling (Raffel et al. 2019): the first part of a row is seen both ways, the
// rest is predicted token by token. An encoder-decoder reads the prefix with its encoder.

#include <algorithm>
#include <cmath>

#include "core/base/random.h"
#include "core/objective.h"
#include "objectives/corruption/rows.h"
#include "objectives/token_loss.h"

namespace pretrain {
namespace {

class PrefixLm : public Objective {
 public:
  struct Options {
    std::optional<double> prefix;
    TokenLossOptions loss;
    void visit(OptionVisitor& visitor) {
      visitor.option("prefix", prefix,
                     {.meaning = "seen both ways, no loss; uniform: 1 to all but one position",
                      .unit = "of row",
                      .min = 0,
                      .max = 1,
                      .null_word = "uniform",
                      .identity = true});
      loss.visit(visitor);
    }
  };

  PrefixLm(const Options& options, const ObjectiveContext& context)
      : options_(options),
        seed_(context.seed),
        length_(context.sequence_length),
        start_(context.special.pad),
        model_(register_module("model", context.model)) {
    require_kind(context, "prefix_lm", {ModelKind::kDecoder, ModelKind::kEncoderDecoder});
    require_whole_rows(context, "prefix_lm");
    encoder_decoder_ = model_->kind() == ModelKind::kEncoderDecoder;
    if (encoder_decoder_ && start_ < 0) {
      fail(ExitCode::kBadConfig,
           "objective.name prefix_lm: the tokenizer has no padding token, which "
           "starts what ",
           context.model_name,
           " decodes. Build the corpus with one: pretrain corpus "
           "build --special t5");
    }
  }

  const std::vector<LossTerm>& terms() const override {
    static const std::vector<LossTerm> terms{{"lm", 1.0}};
    return terms;
  }

  RowShape row_shape() const override { return {length_ + 1, 1}; }

  Batch prepare(const TokenBatch& tokens) const override {
    Batch batch;
    SequenceBuilder inputs, decoder;
    std::vector<std::int64_t> rows, targets;
    for (const Row& row : rows_of(tokens)) {
      const std::uint64_t key = sequence_key(row.sample_id, 0);
      const auto count = static_cast<std::int64_t>(row.tokens.size());
      const std::int64_t prefix = prefix_length(count - 1, key);
      const auto at = [&](std::int64_t i) { return row.tokens[static_cast<std::size_t>(i)]; };
      if (encoder_decoder_) {
        inputs.begin(key);
        inputs.add(row.tokens.first(static_cast<std::size_t>(prefix)));
        decoder.begin(key + 1);
        for (std::int64_t i = prefix; i < count; ++i) {
          decoder.add(i == prefix ? start_ : at(i - 1));
          targets.push_back(at(i));
        }
      } else {
        const std::int64_t first = inputs.size();
        inputs.begin(key, prefix);
        inputs.add(row.tokens.first(row.tokens.size() - 1));
        for (std::int64_t i = prefix - 1; i + 1 < count; ++i) {
          rows.push_back(first + i);
          targets.push_back(at(i + 1));
        }
      }
    }
    batch.positions = batch.real_tokens = inputs.size() + decoder.size();
    batch.counts = {static_cast<std::int64_t>(targets.size())};
    batch.inputs = inputs.take();
    if (encoder_decoder_) batch.decoder = decoder.take();
    if (!encoder_decoder_) batch.target_rows = as_tensor(rows);
    batch.targets = as_tensor(targets);
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    const Sequences* decoder = encoder_decoder_ ? &batch.decoder : nullptr;
    const at::Tensor features = model_->forward({batch.inputs, Pattern::kPrefix, decoder});
    return {token_loss(*model_, features, batch, options_.loss)};
  }

  double flops_per_token(std::int64_t length) const override {
    return 3.0 * (model_->body_flops_per_token(length) + 0.5 * head_flops(*model_));
  }

  bool is_likelihood() const override { return false; }  // of a part of the text only
  Model& model() override { return *model_; }

 private:
  // At least one position, and at least one target behind it.
  std::int64_t prefix_length(std::int64_t length, std::uint64_t key) const {
    if (!options_.prefix) {
      RandomStream random(seed_, RandomPurpose::kObjective, key);
      return 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(length)));
    }
    const auto wanted = std::llround(*options_.prefix * static_cast<double>(length));
    return std::clamp<std::int64_t>(wanted, 1, length);
  }

  Options options_;
  std::uint64_t seed_;
  std::int64_t length_;
  std::int64_t start_;
  bool encoder_decoder_ = false;
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<PrefixLm>("prefix_lm");

}  // namespace
}  // namespace pretrain
