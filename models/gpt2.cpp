// GPT-2 (Radford et al. 2019): a decoder-only transformer with pre-norm blocks, learned positions,
// tied embeddings and residual initialisation scaled by depth.

#include <ATen/ops/empty.h>

#include <cmath>
#include <string>

#include "core/model.h"
#include "models/layers/embedding.h"
#include "models/layers/initialization.h"
#include "models/layers/transformer_block.h"

namespace pretrain {
namespace {

struct Gpt2Options {
  std::int64_t layers = 12;
  std::int64_t hidden = 768;
  std::int64_t heads = 12;
  std::int64_t ffn = 0;
  std::optional<std::int64_t> max_positions;
  double norm_eps = 1e-5;
  double init_std = 0.02;
  std::int64_t pad_vocab_to = 64;

  void visit(OptionVisitor& visitor) {
    visitor.option("layers", layers,
                   {.meaning = "number of blocks", .min = 1, .max = 1000, .identity = true});
    visitor.option(
        "hidden", hidden,
        {.meaning = "width of the residual stream", .min = 1, .max = 1 << 20, .identity = true});
    visitor.option("heads", heads,
                   {.meaning = "attention heads; must divide hidden",
                    .min = 1,
                    .max = 1 << 16,
                    .identity = true});
    ffn = 4 * hidden;
    visitor.option("ffn", ffn,
                   {.meaning = "inner width of the feed-forward part",
                    .min = 1,
                    .max = 1 << 22,
                    .default_text = "4 x hidden",
                    .identity = true});
    visitor.option("max_positions", max_positions,
                   {.meaning = "rows of the position table",
                    .unit = "positions",
                    .min = 1,
                    .max = 1 << 24,
                    .default_text = "sequence_length",
                    .null_word = "auto",
                    .identity = true});
    visitor.option(
        "norm_eps", norm_eps,
        {.meaning = "added to the variance in layer norms", .min = 0, .max = 1, .identity = true});
    visitor.option("init_std", init_std,
                   {.meaning = "initial weights; residual outputs: init_std / sqrt(2 layers)",
                    .min = 0,
                    .max = 10,
                    .identity = true});
    visitor.option("pad_vocab_to", pad_vocab_to,
                   {.meaning = "vocabulary rows are rounded up to a multiple of this",
                    .unit = "tokens",
                    .min = 1,
                    .max = 65536,
                    .identity = true});
  }
};

class Gpt2 : public Model {
 public:
  using Options = Gpt2Options;

  Gpt2(const Options& options, const ModelContext& context)
      : options_(options), vocab_size_(context.vocab_size), compute_(context.compute) {
    if (options_.hidden % options_.heads != 0) {
      fail(ExitCode::kBadConfig, "model.heads ", options_.heads, " does not divide model.hidden ",
           options_.hidden, ". Choose heads so that hidden / heads is whole");
    }
    max_positions_ = options_.max_positions.value_or(context.sequence_length);
    if (max_positions_ < context.sequence_length) {
      fail(ExitCode::kBadConfig, "model.max_positions ", max_positions_,
           " is less than data.sequence_length ", context.sequence_length,
           ". Raise the one or lower the other");
    }
    const std::int64_t multiple = options_.pad_vocab_to;
    const std::int64_t rows = (vocab_size_ + multiple - 1) / multiple * multiple;
    token_embedding_ =
        register_parameter("token_embedding", at::empty({rows, options_.hidden}, context.options));
    position_embedding_ = register_parameter(
        "position_embedding", at::empty({max_positions_, options_.hidden}, context.options));
    const BlockShape shape{options_.hidden,   options_.heads, options_.ffn,
                           options_.norm_eps, compute_,       context.options};
    for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
      blocks_.push_back(register_module("block" + std::to_string(layer),
                                        std::make_shared<TransformerBlock>(shape, layer)));
    }
    final_norm_ = register_module(
        "final_norm",
        std::make_shared<LayerNorm>(options_.hidden, options_.norm_eps, compute_, context.options));
  }

  at::Tensor forward(const ModelInput& input) override {
    const std::int64_t start = input.cache != nullptr ? input.cache->length : 0;
    const std::int64_t length = input.tokens.size(1);
    if (start + length > max_positions_) {
      fail(ExitCode::kBadData, "model: ", start + length, " positions, but it was built for ",
           max_positions_);
    }
    if (input.cache != nullptr) {
      input.cache->keys.resize(blocks_.size());
      input.cache->values.resize(blocks_.size());
    }
    at::Tensor x = embed_tokens(token_embedding_, input.tokens) +
                   position_embedding_.narrow(0, start, length);  // [B, T, d]
    for (const auto& block : blocks_) x = block->forward(x, input.cache);
    if (input.cache != nullptr) input.cache->length += length;
    return final_norm_->forward(x);
  }

  OutputHead head() override { return {token_embedding_, {}, vocab_size_}; }

  void initialize(std::uint64_t seed) override {
    const double residual_std =
        options_.init_std / std::sqrt(2.0 * static_cast<double>(options_.layers));
    for (const auto& item : named_parameters()) {
      const std::string& name = item.key();
      const bool residual_output =
          name.ends_with("attention.output.weight") || name.ends_with("down.weight");
      if (name.ends_with("norm.weight")) {
        fill(item.value(), 1.0);
      } else if (item.value().dim() == 1) {
        fill(item.value(), 0.0);
      } else {
        fill_normal(item.value(), residual_output ? residual_std : options_.init_std, seed, name);
      }
    }
  }

  std::int64_t max_positions() const override { return max_positions_; }

  double activation_bytes_per_token() const override {
    const double d = static_cast<double>(options_.hidden);
    const double f = static_cast<double>(options_.ffn);
    const double element = static_cast<double>(c10::elementSize(compute_));
    // Two fp32 residuals; norm outputs 2 d, q k v 3 d, attention and its rows 2 d, GELU in and out.
    return static_cast<double>(options_.layers) * (8 * d + element * (7 * d + 2 * f));
  }

  double body_flops_per_token(std::int64_t length) const override {
    const double d = static_cast<double>(options_.hidden);
    const double projections = 8 * d * d;
    const double ffn = 4 * d * static_cast<double>(options_.ffn);
    const double attention = 2 * d * static_cast<double>(length);
    return static_cast<double>(options_.layers) * (projections + ffn + attention);
  }

 private:
  Options options_;
  std::int64_t vocab_size_;
  at::ScalarType compute_;
  std::int64_t max_positions_ = 0;
  at::Tensor token_embedding_;     // [V padded, d]
  at::Tensor position_embedding_;  // [max_positions, d]
  std::vector<std::shared_ptr<TransformerBlock>> blocks_;
  std::shared_ptr<LayerNorm> final_norm_;
};

const bool kRegistered = models().add<Gpt2>("gpt2");

}  // namespace
}  // namespace pretrain
