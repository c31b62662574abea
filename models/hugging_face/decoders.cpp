// GPT2LMHeadModel, OpenAIGPTLMHeadModel and LlamaForCausalLM.

#include <nlohmann/json.hpp>

#include "models/hugging_face/families.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

Json id(std::int64_t value) { return value < 0 ? Json() : Json(value); }

// Weight and bias of a linear layer or of a layer norm.
void add_pair(std::vector<HfPiece>& pieces, const std::string& theirs, const std::string& ours,
              bool transposed = false) {
  pieces.push_back({theirs + ".weight", ours + ".weight", 0, -1, transposed});
  pieces.push_back({theirs + ".bias", ours + ".bias"});
}

void require_plain(const TransformerOptions& options, const std::string& architecture) {
  require_option(options.norm == "layernorm", "norm " + options.norm, architecture);
  require_option(options.position == "learned", "position " + options.position, architecture);
  require_option(options.bias, "bias false", architecture);
  require_option(options.tie_embeddings, "tie_embeddings false", architecture);
  require_option(options.key_heads() == options.heads, "kv_heads", architecture);
  require_option(options.head_width() * options.heads == options.hidden, "head_dim", architecture);
  require_option(!options.qk_norm, "qk_norm", architecture);
  require_option(options.window == 0, "window", architecture);
  require_option(options.embedding_width() == options.hidden, "embedding_size", architecture);
}

// Both GPTs keep their matrices [in, out].
void add_gpt_blocks(std::vector<HfPiece>& pieces, const std::string& stem, std::int64_t layers) {
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string theirs = stem + std::to_string(i);
    const std::string ours = "stack.block" + std::to_string(i);
    add_pair(pieces, theirs + ".ln_1", ours + ".attention_norm");
    add_pair(pieces, theirs + ".attn.c_attn", ours + ".attention.qkv", true);
    add_pair(pieces, theirs + ".attn.c_proj", ours + ".attention.output", true);
    add_pair(pieces, theirs + ".ln_2", ours + ".ffn_norm");
    add_pair(pieces, theirs + ".mlp.c_fc", ours + ".ffn.up", true);
    add_pair(pieces, theirs + ".mlp.c_proj", ours + ".ffn.down", true);
  }
}

std::string common_gpt_options(const HfConfig& config) {
  return concat("layers: ", config.whole("n_layer"), ", hidden: ", config.whole("n_embd"),
                ", heads: ", config.whole("n_head"),
                ", max_positions: ", config.whole("n_positions"),
                ", dropout: ", config.real("resid_pdrop", 0.1),
                ", attention_dropout: ", config.real("attn_pdrop", 0.1),
                ", init_std: ", config.real("initializer_range", 0.02),
                ", norm_eps: ", config.real("layer_norm_epsilon", 1e-5));
}

HfTokens tokens_of(const HfConfig& config) {
  return {config.whole("vocab_size"), config.whole("bos_token_id", -1),
          config.whole("eos_token_id", -1), config.whole("pad_token_id", -1)};
}

}  // namespace

HfPlan gpt2_plan(const TransformerOptions& options, std::int64_t positions,
                 const HfTokens& tokens) {
  HfPlan plan{"", "GPT2LMHeadModel", "", {}};
  require_plain(options, plan.architecture);
  require_option(options.pre_norm(), "norm_place post", plan.architecture);
  const Json config = {{"model_type", "gpt2"},
                       {"architectures", {plan.architecture}},
                       {"torch_dtype", "float32"},
                       {"vocab_size", tokens.vocab_size},
                       {"n_positions", positions},
                       {"n_embd", options.hidden},
                       {"n_layer", options.layers},
                       {"n_head", options.heads},
                       {"n_inner", options.inner_width()},
                       {"activation_function", their_activation(options.activation)},
                       {"layer_norm_epsilon", options.norm_eps},
                       {"initializer_range", options.init_std},
                       {"resid_pdrop", options.dropout},
                       {"embd_pdrop", options.dropout},
                       {"attn_pdrop", options.attention_dropout},
                       {"bos_token_id", id(tokens.bos < 0 ? tokens.eos : tokens.bos)},
                       {"eos_token_id", id(tokens.eos)},
                       {"tie_word_embeddings", true}};
  plan.config = config.dump(2) + "\n";
  plan.base = "transformer.";
  plan.pieces = {{"transformer.wte.weight", "embeddings.token", 0, tokens.vocab_size},
                 {"transformer.wpe.weight", "embeddings.position"}};
  add_gpt_blocks(plan.pieces, "transformer.h.", options.layers);
  add_pair(plan.pieces, "transformer.ln_f", "stack.final_norm");
  return plan;
}

HfPlan gpt1_plan(const TransformerOptions& options, std::int64_t positions,
                 const HfTokens& tokens) {
  HfPlan plan{"", "OpenAIGPTLMHeadModel", "", {}};
  require_plain(options, plan.architecture);
  require_option(!options.pre_norm(), "norm_place pre", plan.architecture);
  require_option(options.inner_width() == 4 * options.hidden, "ffn", plan.architecture);
  // Their "gelu" is the tanh form.
  const std::string activation =
      options.activation == "gelu_tanh" ? "gelu" : their_activation(options.activation);
  require_option(options.activation != "gelu", "activation gelu", plan.architecture);
  const Json config = {{"model_type", "openai-gpt"},
                       {"architectures", {plan.architecture}},
                       {"torch_dtype", "float32"},
                       {"vocab_size", tokens.vocab_size},
                       {"n_positions", positions},
                       {"n_embd", options.hidden},
                       {"n_layer", options.layers},
                       {"n_head", options.heads},
                       {"afn", activation},
                       {"layer_norm_epsilon", options.norm_eps},
                       {"initializer_range", options.init_std},
                       {"resid_pdrop", options.dropout},
                       {"embd_pdrop", options.dropout},
                       {"attn_pdrop", options.attention_dropout},
                       {"tie_word_embeddings", true}};
  plan.config = config.dump(2) + "\n";
  plan.base = "transformer.";
  plan.pieces = {{"transformer.tokens_embed.weight", "embeddings.token", 0, tokens.vocab_size},
                 {"transformer.positions_embed.weight", "embeddings.position"}};
  add_gpt_blocks(plan.pieces, "transformer.h.", options.layers);
  return plan;
}

HfPlan llama_plan(const TransformerOptions& options, std::int64_t positions,
                  const HfTokens& tokens) {
  HfPlan plan{"", "LlamaForCausalLM", "", {}};
  const std::string& name = plan.architecture;
  require_option(options.norm == "rmsnorm", "norm " + options.norm, name);
  require_option(options.pre_norm(), "norm_place post", name);
  require_option(options.position == "rotary", "position " + options.position, name);
  require_option(options.activation == "swiglu", "activation " + options.activation, name);
  require_option(!options.bias, "bias true", name);
  require_option(!options.qk_norm, "qk_norm", name);
  require_option(options.window == 0, "window", name);
  require_option(options.embedding_width() == options.hidden, "embedding_size", name);
  const Json config = {
      {"model_type", "llama"},
      {"architectures", {name}},
      {"torch_dtype", "float32"},
      {"vocab_size", tokens.vocab_size},
      {"hidden_size", options.hidden},
      {"intermediate_size", options.inner_width()},
      {"num_hidden_layers", options.layers},
      {"num_attention_heads", options.heads},
      {"num_key_value_heads", options.key_heads()},
      {"head_dim", options.head_width()},
      {"hidden_act", "silu"},
      {"max_position_embeddings", positions},
      {"initializer_range", options.init_std},
      {"rms_norm_eps", options.norm_eps},
      {"rope_theta", options.rope_theta},
      {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", options.rope_theta}}},
      {"attention_bias", false},
      {"mlp_bias", false},
      {"attention_dropout", options.attention_dropout},
      {"bos_token_id", id(tokens.bos)},
      {"eos_token_id", id(tokens.eos)},
      {"pad_token_id", id(tokens.pad)},
      {"tie_word_embeddings", options.tie_embeddings}};
  plan.config = config.dump(2) + "\n";
  plan.base = "model.";
  plan.pieces = {{"model.embed_tokens.weight", "embeddings.token", 0, tokens.vocab_size}};
  const std::int64_t q = options.heads * options.head_width();
  const std::int64_t k = options.key_heads() * options.head_width();
  for (std::int64_t i = 0; i < options.layers; ++i) {
    const std::string theirs = "model.layers." + std::to_string(i);
    const std::string ours = "stack.block" + std::to_string(i);
    const std::string qkv = ours + ".attention.qkv.weight";
    const std::vector<HfPiece> block{
        {theirs + ".input_layernorm.weight", ours + ".attention_norm.weight"},
        {theirs + ".self_attn.q_proj.weight", qkv, 0, q},
        {theirs + ".self_attn.k_proj.weight", qkv, q, q + k},
        {theirs + ".self_attn.v_proj.weight", qkv, q + k, q + 2 * k},
        {theirs + ".self_attn.o_proj.weight", ours + ".attention.output.weight"},
        {theirs + ".post_attention_layernorm.weight", ours + ".ffn_norm.weight"},
        {theirs + ".mlp.gate_proj.weight", ours + ".ffn.gate.weight"},
        {theirs + ".mlp.up_proj.weight", ours + ".ffn.up.weight"},
        {theirs + ".mlp.down_proj.weight", ours + ".ffn.down.weight"}};
    plan.pieces.insert(plan.pieces.end(), block.begin(), block.end());
  }
  plan.pieces.push_back({"model.norm.weight", "stack.final_norm.weight"});
  if (!options.tie_embeddings) {
    plan.pieces.push_back({"lm_head.weight", "output_table", 0, tokens.vocab_size});
  }
  return plan;
}

HfImport read_gpt2(const HfConfig& config) {
  for (const char* key :
       {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"}) {
    if (config.flag(key, false)) config.refuse(key, "true");
  }
  if (!config.flag("scale_attn_weights", true)) config.refuse("scale_attn_weights", "false");
  if (!config.flag("tie_word_embeddings", true)) config.refuse("tie_word_embeddings", "false");
  const std::string theirs = config.text("activation_function", "gelu_new");
  HfImport import;
  import.model =
      concat("{name: gpt2, ", common_gpt_options(config),
             ", ffn: ", config.whole("n_inner", 4 * config.whole("n_embd")),
             ", activation: ", our_activation(config, "activation_function", theirs), "}");
  import.objective = "causal_lm";
  import.positions = config.whole("n_positions");
  import.tokens = tokens_of(config);
  return import;
}

HfImport read_gpt1(const HfConfig& config) {
  if (!config.flag("tie_word_embeddings", true)) config.refuse("tie_word_embeddings", "false");
  const std::string theirs = config.text("afn", "gelu");
  HfImport import;
  import.model =
      concat("{name: gpt1, ", common_gpt_options(config), ", activation: ",
             theirs == "gelu" ? "gelu_tanh" : our_activation(config, "afn", theirs), "}");
  import.objective = "causal_lm";
  import.positions = config.whole("n_positions");
  import.tokens = tokens_of(config);
  return import;
}

HfImport read_llama(const HfConfig& config) {
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    if (config.flag(key, false)) config.refuse(key, "true");
  }
  if (config.has("rope_scaling")) config.refuse("rope_scaling", "not null");
  config.require("hidden_act", "silu");
  std::string theta = config.real("rope_theta", 1e4);
  if (config.has("rope_parameters")) {
    const HfConfig rope = config.at("rope_parameters");
    for (const char* key : {"rope_type", "type"}) rope.require(key, "default");
    if (rope.has("rope_theta")) theta = rope.real("rope_theta", 1e4);
    rope.refuse_unread();
  }
  const std::int64_t hidden = config.whole("hidden_size"),
                     heads = config.whole("num_attention_heads");
  if (heads < 1) config.refuse("num_attention_heads", concat("expected at least 1, got ", heads));
  HfImport import;
  import.positions = config.whole("max_position_embeddings");
  import.model = concat(
      "{name: llama, layers: ", config.whole("num_hidden_layers"), ", hidden: ", hidden,
      ", heads: ", heads, ", kv_heads: ", config.whole("num_key_value_heads", heads),
      ", head_dim: ", config.whole("head_dim", hidden / heads),
      ", ffn: ", config.whole("intermediate_size"), ", max_positions: ", import.positions,
      ", norm_eps: ", config.real("rms_norm_eps", 1e-6), ", rope_theta: ", theta,
      ", init_std: ", config.real("initializer_range", 0.02),
      ", attention_dropout: ", config.real("attention_dropout", 0),
      ", tie_embeddings: ", config.flag("tie_word_embeddings", false) ? "true" : "false", "}");
  import.objective = "causal_lm";
  import.tokens = tokens_of(config);
  return import;
}

}  // namespace pretrain
