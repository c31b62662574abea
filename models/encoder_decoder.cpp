// T5 (Raffel et al. 2019): an encoder and a decoder with one table of tokens, relative positions as
// biases of the scores, RMS norms, no biases elsewhere. Version 1.0: relu, tied head; 1.1: geglu,
// untied head.

#include <ATen/ops/empty.h>

#include <cmath>

#include "models/embeddings.h"
#include "models/initialize.h"
#include "models/transformer_stack.h"

namespace pretrain {
namespace {

class T5 : public Model {
 public:
  struct Options {
    TransformerOptions transformer;
    std::optional<std::int64_t> decoder_layers;
    Options() {
      transformer.norm = "rmsnorm";
      transformer.norm_eps = 1e-6;
      transformer.bias = false;
      transformer.position = "relative";
      transformer.activation = "relu";
      transformer.init = "t5";
    }
    void visit(OptionVisitor& visitor) {
      transformer.visit(visitor);
      visitor.option("decoder_layers", decoder_layers,
                     {.meaning = "blocks of the decoder",
                      .min = 1,
                      .max = 1000,
                      .default_text = "layers",
                      .null_word = "auto",
                      .identity = true});
    }
  };

  T5(const Options& options, const ModelContext& context)
      : options_(options.transformer),
        decoder_options_(options.transformer),
        vocab_size_(context.vocab_size),
        max_positions_(options_.positions(context)),
        activation_bytes_(options_.activation_bytes_per_token(context.compute, context.recompute) +
                          1.5 * options_.activation_bytes_per_token(context.compute, false)) {
    if (options.decoder_layers) decoder_options_.layers = *options.decoder_layers;
    embeddings_ = register_module(
        "embeddings", std::make_shared<Embeddings>(options_, Embeddings::Shape{}, context));
    TransformerStack::Shape shape;
    shape.final_norm = true;
    shape.scaled_scores = options_.position != "relative";
    encoder_ =
        register_module("encoder", std::make_shared<TransformerStack>(options_, shape, context));
    shape.cross = true;
    shape.number = 1;
    decoder_ = register_module(
        "decoder", std::make_shared<TransformerStack>(decoder_options_, shape, context));
    if (!options_.tie_embeddings) {
      output_table_ = register_parameter(
          "output_table",
          at::empty({options_.padded_vocab(vocab_size_), options_.hidden}, context.options));
    }
  }

  ModelKind kind() const override { return ModelKind::kEncoderDecoder; }

  at::Tensor forward(const ModelInput& input) override {
    if (input.decoder == nullptr) fail(ExitCode::kInternal, "t5: nothing to decode");
    check_lengths(input.sequences, 0, max_positions_);
    KeyValueCache* cache = input.cache;
    at::Tensor encoded;
    if (cache != nullptr && cache->encoded.defined()) {
      encoded = cache->encoded;
    } else {
      encoded = encoder_->forward(embeddings_->forward(input.sequences, 0), input.sequences,
                                  Pattern::kBidirectional);
      if (cache != nullptr) cache->encoded = encoded;
    }
    const Encoded context{encoded, input.sequences};
    const std::int64_t first = cache != nullptr ? cache->length : 0;
    if (options_.position != "relative") check_lengths(*input.decoder, first, max_positions_);
    return decoder_->forward(embeddings_->forward(*input.decoder, first), *input.decoder,
                             Pattern::kCausal, cache, &context);
  }

  at::Tensor head_features(const at::Tensor& features) override {
    if (output_table_.defined()) return features;
    return features * (1 / std::sqrt(static_cast<double>(options_.hidden)));
  }

  OutputHead head() override {
    return {output_table_.defined() ? output_table_ : embeddings_->token, {}, vocab_size_};
  }

  void initialize(std::uint64_t seed) override { initialize_transformer(*this, options_, seed); }
  std::int64_t max_positions() const override { return max_positions_; }

  double body_flops_per_token(std::int64_t length) const override {
    return options_.flops_per_token(length, 1);
  }
  double decoder_flops_per_token(std::int64_t length, std::int64_t source) const override {
    const double d = static_cast<double>(options_.hidden);
    const double inner = static_cast<double>(options_.heads * options_.head_width());
    const double read = static_cast<double>(source);
    // Queries and outputs; keys and values of the source, made once a text; scores and their sums.
    const double made_once = 4 * d * inner * read / static_cast<double>(length);
    const double cross = 4 * d * inner + made_once + 4 * inner * read;
    return decoder_options_.flops_per_token(length, 0.5) +
           static_cast<double>(decoder_options_.layers) * cross;
  }
  double activation_bytes_per_token() const override { return activation_bytes_; }

 private:
  TransformerOptions options_;
  TransformerOptions decoder_options_;
  std::int64_t vocab_size_;
  std::int64_t max_positions_;
  double activation_bytes_;
  std::shared_ptr<Embeddings> embeddings_;
  std::shared_ptr<TransformerStack> encoder_;
  std::shared_ptr<TransformerStack> decoder_;
  at::Tensor output_table_;  // [V padded, d] or undefined
};

const bool kRegistered = models().add<T5>("t5");

}  // namespace
}  // namespace pretrain
