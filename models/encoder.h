#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "models/embeddings.h"
#include "models/layers/linear.h"
#include "models/transformer_stack.h"

namespace pretrain {

/// What stands between an encoder's features and its tied output table: norm(act(x W + b)), and the
/// bias of the logits (Devlin et al. 2018).
class PredictionTransform : public torch::nn::Module {
 public:
  /// `in` is the width of the features, `out` that of the table of `rows` rows.
  PredictionTransform(std::int64_t in, std::int64_t out, std::int64_t rows, Activation activation,
                      double norm_eps, const ModelContext& context);
  /// [M, in] in the compute type -> [M, out]
  at::Tensor forward(const at::Tensor& x);

  std::shared_ptr<Linear> dense;
  std::shared_ptr<Norm> norm;
  at::Tensor bias;  ///< [rows]

 private:
  Activation activation_;
};

/// Encoder of BERT and RoBERTa: embeddings (tokens, positions, segments, norm), blocks that see
/// both ways, a head for masked tokens and, with model.pooler, one for pairs of sentences.
class Encoder : public Model {
 public:
  struct Options {
    TransformerOptions transformer;
    bool pooler = false;
    std::int64_t segments = 2;       ///< rows of the segment table
    bool counts_behind_pad = false;  ///< RoBERTa: the first position is row pad id + 1
    void visit(OptionVisitor& visitor);
  };
  Encoder(const Options& options, const ModelContext& context);

  ModelKind kind() const override { return ModelKind::kEncoder; }
  at::Tensor forward(const ModelInput& input) override;
  at::Tensor head_features(const at::Tensor& features) override;
  OutputHead head() override;
  bool has_sequence_head() const override { return pooler_ != nullptr; }
  at::Tensor sequence_logits(const at::Tensor& first) override;
  void initialize(std::uint64_t seed) override;
  std::int64_t max_positions() const override { return max_positions_; }
  double body_flops_per_token(std::int64_t length) const override;
  double activation_bytes_per_token() const override;

 private:
  TransformerOptions options_;
  std::int64_t vocab_size_;
  std::int64_t max_positions_;
  double activation_bytes_;
  std::shared_ptr<Embeddings> embeddings_;
  std::shared_ptr<TransformerStack> stack_;
  std::shared_ptr<PredictionTransform> prediction_;
  std::shared_ptr<Linear> pooler_;      // null without model.pooler
  std::shared_ptr<Linear> classifier_;  // hidden -> 2
};

/// Defaults of BERT's transformer (Devlin et al. 2018).
TransformerOptions bert_options();
/// Throws kBadConfig if the output matrix cannot be the input table, as encoders have it.
void require_tied(const TransformerOptions& options);

}  // namespace pretrain
