#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "models/encoder.h"

namespace pretrain {

/// ELECTRA (Clark et al. 2020): a main encoder and a narrower generator that share their
/// embeddings. As a Model it is the main encoder; replaced_token_detection trains both. Without a
/// generator (model.generator.size 0) it is an encoder for masked tokens.
class Electra : public Model {
 public:
  struct Options {
    TransformerOptions transformer;
    struct Generator {
      double size = 0.25;  ///< of the main encoder's hidden, heads and ffn
      std::optional<std::int64_t> layers;
      void visit(OptionVisitor& visitor);
    };
    Generator generator;
    bool share_embeddings = true;
    bool token_head = false;
    Options();
    void visit(OptionVisitor& visitor);
  };
  Electra(const Options& options, const ModelContext& context);

  ModelKind kind() const override;
  at::Tensor forward(const ModelInput& input) override;
  at::Tensor head_features(const at::Tensor& features) override;
  OutputHead head() override;
  void initialize(std::uint64_t seed) override;
  std::int64_t max_positions() const override { return max_positions_; }
  double body_flops_per_token(std::int64_t length) const override;
  double activation_bytes_per_token() const override;

  /// The generator's features [N, d generator] in the compute type, its head and its FLOPs.
  at::Tensor generate(const Sequences& sequences);
  at::Tensor generator_head_features(const at::Tensor& features);
  OutputHead generator_head();
  double generator_flops_per_token(std::int64_t length) const;
  /// Logit of "this token was replaced" [N] fp32 of the main encoder's features [N, d].
  at::Tensor replaced_logits(const at::Tensor& features);
  /// Takes the generator, or all that is not part of it, out of training: requires_grad false. Call
  /// before a FlatBuffer is made. Tables that both share are of the main encoder.
  void freeze_generator();
  void freeze_main();
  /// True if each network has tables of its own.
  bool has_own_tables() const { return generator_embeddings_ != embeddings_; }
  /// Makes the main encoder a copy of the generator, as far as both have the parts. False, and
  /// nothing changes, unless they are of one size.
  bool copy_generator();
  /// True if the main encoder predicts tokens: model.token_head, or no generator.
  bool has_token_head() const { return prediction_ != nullptr; }

 private:
  TransformerOptions options_;
  TransformerOptions generator_options_;
  std::int64_t vocab_size_;
  std::int64_t max_positions_;
  double activation_bytes_;
  std::shared_ptr<Embeddings> embeddings_;
  std::shared_ptr<TransformerStack> stack_;
  std::shared_ptr<PredictionTransform> prediction_;
  std::shared_ptr<Linear> replaced_dense_;  // null without a generator, as are those below
  std::shared_ptr<Linear> replaced_output_;
  std::shared_ptr<Embeddings> generator_embeddings_;
  std::shared_ptr<TransformerStack> generator_stack_;
  std::shared_ptr<PredictionTransform> generator_prediction_;
};

/// Options of the generator's stack.
TransformerOptions generator_options(const Electra::Options& options);

}  // namespace pretrain
