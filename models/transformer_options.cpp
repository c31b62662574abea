#include "models/transformer_options.h"

#include <algorithm>

namespace pretrain {
namespace {

constexpr std::int64_t kMostWidth = 1 << 20;

std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

void TransformerOptions::visit(OptionVisitor& visitor) {
  const auto count = [&](const char* name, auto& value, const char* meaning, double most,
                         const char* by_default = nullptr, const char* null_word = nullptr) {
    visitor.option(name, value,
                   {.meaning = meaning,
                    .min = 1,
                    .max = most,
                    .default_text = by_default,
                    .null_word = null_word,
                    .identity = true});
  };
  const auto share = [&](const char* name, double& value, const char* meaning, double most) {
    visitor.option(name, value, {.meaning = meaning, .min = 0, .max = most, .identity = true});
  };
  count("layers", layers, "number of blocks", 1000);
  count("hidden", hidden, "width of the residual stream", kMostWidth);
  count("heads", heads, "attention heads; divide hidden unless head_dim is given", 1 << 16);
  count("kv_heads", kv_heads, "heads of keys and values; divide heads", 1 << 16, "heads", "auto");
  count("head_dim", head_dim, "width of a head", kMostWidth, "hidden / heads", "auto");
  count("ffn", ffn, "inner width of the feed-forward part", 1 << 22,
        "4 x hidden; gated 8/3 x hidden, up to 64s", "auto");
  count("max_positions", max_positions, "longest sequence", 1 << 24, "sequence_length", "auto");
  count("embedding_size", embedding_size, "width of the tables", kMostWidth, "hidden", "auto");
  visitor.option("activation", activation,
                 {.meaning = "of the feed-forward part; the last three are gated",
                  .choices = activation_names(),
                  .identity = true});
  visitor.option(
      "norm", norm,
      {.meaning = "normalisation", .choices = {"layernorm", "rmsnorm"}, .identity = true});
  share("norm_eps", norm_eps, "added to the variance in norms", 1);
  visitor.option("norm_place", norm_place,
                 {.meaning = "before each part, or after its residual sum",
                  .choices = {"pre", "post"},
                  .identity = true});
  visitor.option("bias", bias, {.meaning = "biases in linear layers", .identity = true});
  visitor.option("qk_norm", qk_norm,
                 {.meaning = "RMS norm of each head's queries and keys", .identity = true});
  visitor.option("position", position,
                 {.meaning = "how positions enter",
                  .choices = {"learned", "sinusoidal", "rotary", "relative", "alibi", "none"},
                  .identity = true});
  visitor.option("rope_theta", rope_theta,
                 {.meaning = "base of rotary angles", .min = 1, .max = 1e12, .identity = true});
  visitor.option("relative_buckets", relative_buckets,
                 {.meaning = "of relative positions", .min = 4, .max = 4096, .identity = true});
  visitor.option("relative_distance", relative_distance,
                 {.meaning = "where the buckets end", .min = 8, .max = 1 << 20, .identity = true});
  visitor.option("window", window,
                 {.meaning = "positions that attention looks back over; 0: all",
                  .min = 0,
                  .max = 1 << 24,
                  .identity = true});
  visitor.option("tie_embeddings", tie_embeddings,
                 {.meaning = "the output matrix is the input table", .identity = true});
  share("dropout", dropout, "of embeddings and of the output of each part", 0.999);
  share("attention_dropout", attention_dropout, "of attention weights", 0.999);
  visitor.option("init", init,
                 {.meaning = "initial weights; scaled_normal: residual outputs by 1/sqrt(2 layers)",
                  .choices = {"scaled_normal", "normal", "truncated_normal", "xavier", "t5"},
                  .identity = true});
  share("init_std", init_std, "standard deviation of initial weights", 10);
  count("pad_vocab_to", pad_vocab_to, "vocabulary rows are rounded up to a multiple of this",
        65536);
}

std::int64_t TransformerOptions::inner_width() const {
  if (ffn) return *ffn;
  if (!is_gated(activation_by_name(activation))) return 4 * hidden;
  return rounded_up(8 * hidden / 3, 64);
}

std::int64_t TransformerOptions::padded_vocab(std::int64_t vocab_size) const {
  return rounded_up(vocab_size, pad_vocab_to);
}

std::int64_t TransformerOptions::positions(const ModelContext& context) const {
  const std::int64_t rows = max_positions.value_or(context.sequence_length);
  if (rows < context.sequence_length) {
    fail(ExitCode::kBadConfig, "model.max_positions ", rows, " is less than data.sequence_length ",
         context.sequence_length, ". Raise the one or lower the other");
  }
  return rows;
}

BlockShape TransformerOptions::block_shape(const ModelContext& context) const {
  BlockShape shape;
  shape.attention = {hidden,  heads,    key_heads(),     head_width(),   bias,
                     qk_norm, norm_eps, context.compute, context.options};
  shape.ffn = inner_width();
  shape.activation = activation_by_name(activation);
  shape.norm = norm_kind();
  shape.pre_norm = pre_norm();
  shape.dropout = dropout;
  shape.attention_dropout = attention_dropout;
  shape.seed = context.seed;
  return shape;
}

void TransformerOptions::check() const {
  if (!head_dim && hidden % heads != 0) {
    fail(ExitCode::kBadConfig, "model.heads ", heads, " does not divide model.hidden ", hidden,
         ". Choose heads so that hidden / heads is whole, or give model.head_dim");
  }
  if (heads % key_heads() != 0) {
    fail(ExitCode::kBadConfig, "model.kv_heads ", key_heads(), " does not divide model.heads ",
         heads, ". Choose a divisor");
  }
  if (position == "rotary" && head_width() % 2 != 0) {
    fail(ExitCode::kBadConfig, "model.position rotary: heads of width ", head_width(),
         " cannot be halved. Choose an even model.head_dim");
  }
}

double TransformerOptions::flops_per_token(std::int64_t length, double seen) const {
  const double d = static_cast<double>(hidden);
  const double inner = static_cast<double>(heads * head_width());
  const double keys = static_cast<double>(key_heads() * head_width());
  const double matrices = is_gated(activation_by_name(activation)) ? 3 : 2;
  const double projections = 2 * d * (2 * inner + 2 * keys);
  const double feed_forward = 2 * matrices * d * static_cast<double>(inner_width());
  double reach = seen * static_cast<double>(length);
  if (window > 0) reach = std::min(reach, static_cast<double>(window));
  return static_cast<double>(layers) * (projections + feed_forward + 4 * inner * reach);
}

double TransformerOptions::activation_bytes_per_token(at::ScalarType compute,
                                                      bool recompute) const {
  const double d = static_cast<double>(hidden);
  const double f = static_cast<double>(inner_width());
  const double element = static_cast<double>(c10::elementSize(compute));
  const double inner = is_gated(activation_by_name(activation)) ? 4 * f : 2 * f;
  // Two fp32 residuals; norm outputs 2 d, q k v 3 d, attention and its rows 2 d, inner in and out.
  const double block = 8 * d + element * (7 * d + inner);
  const double blocks = static_cast<double>(layers);
  return recompute ? blocks * 4 * d + block : blocks * block;
}

}  // namespace pretrain
