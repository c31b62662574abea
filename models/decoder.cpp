// Decoder-only transformers: GPT-1 (Radford et al. 2018), GPT-2 (Radford et al. 2019) and Llama
// (Touvron et al. 2023). They differ in the defaults of their options alone.

#include <ATen/ops/empty.h>

#include "models/embeddings.h"
#include "models/initialize.h"
#include "models/transformer_stack.h"

namespace pretrain {
namespace {

class Decoder : public Model {
 public:
  Decoder(const TransformerOptions& options, const ModelContext& context)
      : options_(options),
        vocab_size_(context.vocab_size),
        max_positions_(options.positions(context)),
        activation_bytes_(options.activation_bytes_per_token(context.compute, context.recompute)) {
    embeddings_ = register_module(
        "embeddings", std::make_shared<Embeddings>(options, Embeddings::Shape{}, context));
    TransformerStack::Shape shape;
    shape.final_norm = options.pre_norm();
    stack_ = register_module("stack", std::make_shared<TransformerStack>(options, shape, context));
    if (!options.tie_embeddings) {
      output_table_ = register_parameter(
          "output_table",
          at::empty({options.padded_vocab(vocab_size_), options.hidden}, context.options));
    } else if (options.embedding_width() != options.hidden) {
      fail(ExitCode::kBadConfig, "model.embedding_size ", options.embedding_width(),
           " differs from model.hidden ", options.hidden,
           ", so the table cannot be the output matrix. Set model.tie_embeddings=false");
    }
  }

  ModelKind kind() const override { return ModelKind::kDecoder; }

  at::Tensor forward(const ModelInput& input) override {
    const std::int64_t first = input.cache != nullptr ? input.cache->length : 0;
    check_lengths(input.sequences, first, max_positions_);
    return stack_->forward(embeddings_->forward(input.sequences, first), input.sequences,
                           input.pattern, input.cache);
  }

  OutputHead head() override {
    return {output_table_.defined() ? output_table_ : embeddings_->token, {}, vocab_size_};
  }

  void initialize(std::uint64_t seed) override { initialize_transformer(*this, options_, seed); }
  std::int64_t max_positions() const override { return max_positions_; }
  double body_flops_per_token(std::int64_t length) const override {
    return options_.flops_per_token(length, 0.5);
  }
  double activation_bytes_per_token() const override { return activation_bytes_; }

 private:
  TransformerOptions options_;
  std::int64_t vocab_size_;
  std::int64_t max_positions_;
  double activation_bytes_;
  std::shared_ptr<Embeddings> embeddings_;
  std::shared_ptr<TransformerStack> stack_;
  at::Tensor output_table_;  // [V padded, d] or undefined
};

struct Gpt1 : Decoder {
  struct Options : TransformerOptions {
    Options() {
      norm_place = "post";
      init = "normal";
    }
  };
  Gpt1(const Options& options, const ModelContext& context) : Decoder(options, context) {}
};

struct Gpt2 : Decoder {
  using Options = TransformerOptions;
  using Decoder::Decoder;
};

struct Llama : Decoder {
  struct Options : TransformerOptions {
    Options() {
      norm = "rmsnorm";
      bias = false;
      position = "rotary";
      activation = "swiglu";
      tie_embeddings = false;
      init = "normal";
    }
  };
  Llama(const Options& options, const ModelContext& context) : Decoder(options, context) {}
};

const bool kRegistered =
    models().add<Gpt1>("gpt1") && models().add<Gpt2>("gpt2") && models().add<Llama>("llama");

}  // namespace
}  // namespace pretrain
