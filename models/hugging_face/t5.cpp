// T5ForConditionalGeneration.

#include <nlohmann/json.hpp>

#include "models/hugging_face/families.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

void add_stack(std::vector<HfPiece>& pieces, const std::string& stack, std::int64_t layers,
               const TransformerOptions& options, bool cross) {
  const std::int64_t inner = options.heads * options.head_width();
  pieces.push_back({stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                    stack + ".relative_bias"});
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string theirs = stack + ".block." + std::to_string(i) + ".layer.";
    const std::string ours = stack + ".block" + std::to_string(i);
    const std::string self = theirs + "0.SelfAttention.";
    const std::string qkv = ours + ".attention.qkv.weight";
    pieces.push_back({theirs + "0.layer_norm.weight", ours + ".attention_norm.weight"});
    pieces.push_back({self + "q.weight", qkv, 0, inner});
    pieces.push_back({self + "k.weight", qkv, inner, 2 * inner});
    pieces.push_back({self + "v.weight", qkv, 2 * inner, 3 * inner});
    pieces.push_back({self + "o.weight", ours + ".attention.output.weight"});
    if (cross) {
      const std::string attention = theirs + "1.EncDecAttention.";
      const std::string kv = ours + ".cross.kv.weight";
      pieces.push_back({theirs + "1.layer_norm.weight", ours + ".cross_norm.weight"});
      pieces.push_back({attention + "q.weight", ours + ".cross.q.weight"});
      pieces.push_back({attention + "k.weight", kv, 0, inner});
      pieces.push_back({attention + "v.weight", kv, inner, 2 * inner});
      pieces.push_back({attention + "o.weight", ours + ".cross.output.weight"});
    }
    const std::string last = theirs + (cross ? "2." : "1.");
    const std::string dense = last + "DenseReluDense.";
    const bool gated = is_gated(activation_by_name(options.activation));
    pieces.push_back({last + "layer_norm.weight", ours + ".ffn_norm.weight"});
    if (gated) pieces.push_back({dense + "wi_0.weight", ours + ".ffn.gate.weight"});
    pieces.push_back({dense + (gated ? "wi_1.weight" : "wi.weight"), ours + ".ffn.up.weight"});
    pieces.push_back({dense + "wo.weight", ours + ".ffn.down.weight"});
  }
  pieces.push_back({stack + ".final_layer_norm.weight", stack + ".final_norm.weight"});
}

}  // namespace

HfPlan t5_plan(const ConfigNode& model, const TransformerOptions& options, std::int64_t positions,
               const HfTokens& tokens) {
  HfPlan plan{"", "T5ForConditionalGeneration", "", {}};
  const std::string& name = plan.architecture;
  require_option(options.norm == "rmsnorm", "norm " + options.norm, name);
  require_option(options.pre_norm(), "norm_place post", name);
  require_option(options.position == "relative", "position " + options.position, name);
  require_option(!options.bias, "bias true", name);
  require_option(options.key_heads() == options.heads, "kv_heads", name);
  require_option(!options.qk_norm, "qk_norm", name);
  require_option(options.window == 0, "window", name);
  require_option(options.activation == "relu" || options.activation == "geglu",
                 "activation " + options.activation, name);
  const ConfigNode* given = model.find("decoder_layers");
  const bool same = given == nullptr || given->text() == "auto";
  const std::int64_t decoder_layers = same ? options.layers : std::stoll(given->text());
  const bool gated = options.activation == "geglu";
  const std::int64_t start = tokens.pad < 0 ? 0 : tokens.pad;
  const Json config = {{"model_type", "t5"},
                       {"architectures", {name}},
                       {"torch_dtype", "float32"},
                       {"vocab_size", tokens.vocab_size},
                       {"n_positions", positions},
                       {"d_model", options.hidden},
                       {"d_kv", options.head_width()},
                       {"d_ff", options.inner_width()},
                       {"num_layers", options.layers},
                       {"num_decoder_layers", decoder_layers},
                       {"num_heads", options.heads},
                       {"relative_attention_num_buckets", options.relative_buckets},
                       {"relative_attention_max_distance", options.relative_distance},
                       {"dropout_rate", options.dropout},
                       {"layer_norm_epsilon", options.norm_eps},
                       {"feed_forward_proj", gated ? "gated-gelu" : "relu"},
                       {"is_encoder_decoder", true},
                       {"pad_token_id", start},
                       {"decoder_start_token_id", start},
                       {"eos_token_id", tokens.eos < 0 ? 1 : tokens.eos},
                       {"tie_word_embeddings", options.tie_embeddings},
                       {"scale_decoder_outputs", options.tie_embeddings}};
  plan.config = config.dump(2) + "\n";
  plan.pieces = {{"shared.weight", "embeddings.token", 0, tokens.vocab_size}};
  add_stack(plan.pieces, "encoder", options.layers, options, false);
  add_stack(plan.pieces, "decoder", decoder_layers, options, true);
  if (!options.tie_embeddings) {
    plan.pieces.push_back({"lm_head.weight", "output_table", 0, tokens.vocab_size});
  }
  return plan;
}

HfImport read_t5(const HfConfig& config) {
  const std::string projection = config.text("feed_forward_proj", "relu");
  if (projection != "relu" && projection != "gated-gelu") {
    config.refuse("feed_forward_proj", "expected relu or gated-gelu, got " + projection);
  }
  config.require("dense_act_fn", projection == "relu" ? "relu" : "gelu_new");
  const bool gated = projection == "gated-gelu";
  if (config.flag("is_gated_act", gated) != gated)
    config.refuse("is_gated_act", "not " + projection);
  // Ours scales the features if and only if the head is the embedding table. transformers 5 calls
  // every head tied and says apart whether it scales: tied and unscaled are two equal tables here.
  const bool tied = config.flag("tie_word_embeddings", true);
  const bool scales = config.flag("scale_decoder_outputs", tied);
  if (scales && !tied) config.refuse("scale_decoder_outputs", "true with a head of its own");
  HfImport import;
  import.positions = config.whole("n_positions", 512);
  const std::int64_t layers = config.whole("num_layers");
  import.model =
      concat("{name: t5, layers: ", layers,
             ", decoder_layers: ", config.whole("num_decoder_layers", layers),
             ", hidden: ", config.whole("d_model"), ", heads: ", config.whole("num_heads"),
             ", head_dim: ", config.whole("d_kv"), ", ffn: ", config.whole("d_ff"),
             ", max_positions: ", import.positions,
             ", norm_eps: ", config.real("layer_norm_epsilon", 1e-6),
             ", relative_buckets: ", config.whole("relative_attention_num_buckets", 32),
             ", relative_distance: ", config.whole("relative_attention_max_distance", 128),
             ", dropout: ", config.real("dropout_rate", 0.1),
             ", activation: ", projection == "relu" ? "relu" : "geglu",
             ", tie_embeddings: ", scales ? "true" : "false", "}");
  import.objective = "span_corruption";
  import.tokens = {config.whole("vocab_size"), -1, config.whole("eos_token_id", 1),
                   config.whole("pad_token_id", 0)};
  return import;
}

}  // namespace pretrain
