// BertForMaskedLM, BertForPreTraining, BertModel, RobertaForMaskedLM, RobertaModel,
// ElectraForPreTraining, ElectraForMaskedLM and ElectraModel.

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/config/scalars.h"
#include "models/hugging_face/families.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

void add_pair(std::vector<HfPiece>& pieces, const std::string& theirs, const std::string& ours) {
  pieces.push_back({theirs + ".weight", ours + ".weight"});
  pieces.push_back({theirs + ".bias", ours + ".bias"});
}

void require_bert(const TransformerOptions& options, const std::string& architecture) {
  require_option(options.norm == "layernorm", "norm " + options.norm, architecture);
  require_option(!options.pre_norm(), "norm_place pre", architecture);
  require_option(options.position == "learned", "position " + options.position, architecture);
  require_option(options.bias, "bias false", architecture);
  require_option(options.key_heads() == options.heads, "kv_heads", architecture);
  require_option(options.head_width() * options.heads == options.hidden, "head_dim", architecture);
  require_option(!options.qk_norm, "qk_norm", architecture);
  require_option(options.window == 0, "window", architecture);
}

// Embeddings and blocks of a stack, `stem` before each of their names.
void add_encoder(std::vector<HfPiece>& pieces, const std::string& stem, const std::string& tables,
                 const std::string& stack, const TransformerOptions& options,
                 std::int64_t vocab_size) {
  pieces.push_back({stem + "embeddings.word_embeddings.weight", tables + ".token", 0, vocab_size});
  pieces.push_back({stem + "embeddings.position_embeddings.weight", tables + ".position"});
  pieces.push_back({stem + "embeddings.token_type_embeddings.weight", tables + ".segment"});
  add_pair(pieces, stem + "embeddings.LayerNorm", tables + ".norm");
  if (options.embedding_width() != options.hidden) {
    add_pair(pieces, stem + "embeddings_project", stack + ".project");
  }
  const std::int64_t d = options.hidden;
  for (std::int64_t i = 0; i < options.layers; ++i) {
    const std::string theirs = stem + "encoder.layer." + std::to_string(i);
    const std::string ours = stack + ".block" + std::to_string(i);
    const char* const parts[] = {"query", "key", "value"};
    for (std::int64_t part = 0; part < 3; ++part) {
      const std::string self = theirs + ".attention.self." + parts[part];
      for (const char* kind : {".weight", ".bias"}) {
        pieces.push_back({self + kind, ours + ".attention.qkv" + kind, part * d, (part + 1) * d});
      }
    }
    add_pair(pieces, theirs + ".attention.output.dense", ours + ".attention.output");
    add_pair(pieces, theirs + ".attention.output.LayerNorm", ours + ".attention_norm");
    add_pair(pieces, theirs + ".intermediate.dense", ours + ".ffn.up");
    add_pair(pieces, theirs + ".output.dense", ours + ".ffn.down");
    add_pair(pieces, theirs + ".output.LayerNorm", ours + ".ffn_norm");
  }
}

Json encoder_config(const std::string& type, const std::string& architecture,
                    const TransformerOptions& options, std::int64_t positions,
                    std::int64_t segments, const HfTokens& tokens) {
  return {{"model_type", type},
          {"architectures", {architecture}},
          {"torch_dtype", "float32"},
          {"vocab_size", tokens.vocab_size},
          {"hidden_size", options.hidden},
          {"num_hidden_layers", options.layers},
          {"num_attention_heads", options.heads},
          {"intermediate_size", options.inner_width()},
          {"hidden_act", their_activation(options.activation)},
          {"hidden_dropout_prob", options.dropout},
          {"attention_probs_dropout_prob", options.attention_dropout},
          {"max_position_embeddings", positions},
          {"type_vocab_size", segments},
          {"initializer_range", options.init_std},
          {"layer_norm_eps", options.norm_eps},
          {"pad_token_id", tokens.pad < 0 ? 0 : tokens.pad},
          {"tie_word_embeddings", true}};
}

std::string encoder_options(const HfConfig& config) {
  config.require("position_embedding_type", "absolute");
  if (config.flag("is_decoder", false)) config.refuse("is_decoder", "true");
  if (!config.flag("tie_word_embeddings", true)) config.refuse("tie_word_embeddings", "false");
  return concat(
      "layers: ", config.whole("num_hidden_layers"), ", hidden: ", config.whole("hidden_size"),
      ", heads: ", config.whole("num_attention_heads"),
      ", ffn: ", config.whole("intermediate_size"),
      ", activation: ", our_activation(config, "hidden_act", config.text("hidden_act", "gelu")),
      ", norm_eps: ", config.real("layer_norm_eps", 1e-12),
      ", dropout: ", config.real("hidden_dropout_prob", 0.1),
      ", attention_dropout: ", config.real("attention_probs_dropout_prob", 0.1),
      ", init_std: ", config.real("initializer_range", 0.02));
}

std::string electra_model(const HfConfig& config, const std::string& generator) {
  const std::int64_t segments = config.whole("type_vocab_size", 2);
  if (segments != 2) config.refuse("type_vocab_size", concat("expected 2, got ", segments));
  return concat("{name: electra, ", encoder_options(config),
                ", embedding_size: ", config.whole("embedding_size"),
                ", max_positions: ", config.whole("max_position_embeddings"), ", generator: {",
                generator, "}}");
}

}  // namespace

HfPlan bert_plan(const std::string& name, const Encoder::Options& options, std::int64_t positions,
                 const HfTokens& tokens, bool headless) {
  const bool roberta = name == "roberta";
  const std::string pair_class = "BertForPreTraining", masked_class = "BertForMaskedLM";
  HfPlan plan;
  plan.architecture = roberta ? "RobertaForMaskedLM" : options.pooler ? pair_class : masked_class;
  if (headless) plan.architecture = roberta ? "RobertaModel" : "BertModel";
  plan.headless = headless;
  const TransformerOptions& t = options.transformer;
  require_bert(t, plan.architecture);
  require_option(t.embedding_width() == t.hidden, "embedding_size", plan.architecture);
  require_option(!(roberta && options.pooler && !headless), "pooler", plan.architecture);
  const std::int64_t offset = roberta ? (tokens.pad >= 0 ? tokens.pad + 1 : 2) : 0;
  HfTokens own = tokens;
  if (roberta && own.pad < 0) own.pad = 1;
  Json config =
      encoder_config(name, plan.architecture, t, positions + offset, options.segments, own);
  if (roberta) {
    config["bos_token_id"] = tokens.bos < 0 ? 0 : tokens.bos;
    config["eos_token_id"] = tokens.eos < 0 ? 2 : tokens.eos;
  }
  plan.config = config.dump(2) + "\n";
  const std::string stem = headless ? "" : name + ".";
  plan.base = stem;
  add_encoder(plan.pieces, stem, "embeddings", "stack", t, tokens.vocab_size);
  if (options.pooler) add_pair(plan.pieces, stem + "pooler.dense", "pooler");
  if (headless) return plan;
  if (roberta) {
    add_pair(plan.pieces, "lm_head.dense", "prediction.dense");
    add_pair(plan.pieces, "lm_head.layer_norm", "prediction.norm");
    plan.pieces.push_back({"lm_head.bias", "prediction.bias", 0, tokens.vocab_size});
  } else {
    add_pair(plan.pieces, "cls.predictions.transform.dense", "prediction.dense");
    add_pair(plan.pieces, "cls.predictions.transform.LayerNorm", "prediction.norm");
    plan.pieces.push_back({"cls.predictions.bias", "prediction.bias", 0, tokens.vocab_size});
    if (options.pooler) add_pair(plan.pieces, "cls.seq_relationship", "classifier");
  }
  return plan;
}

std::vector<HfPlan> electra_plans(const Electra::Options& options, std::int64_t positions,
                                  const HfTokens& tokens, bool headless) {
  const auto plan_of = [&](const std::string& folder, const std::string& architecture,
                           const std::string& tables, const std::string& stack,
                           const TransformerOptions& t) {
    HfPlan plan{folder, architecture, "", {}, headless, headless ? "" : "electra."};
    require_bert(t, architecture);
    Json config = encoder_config("electra", architecture, t, positions, 2, tokens);
    config["embedding_size"] = t.embedding_width();
    plan.config = config.dump(2) + "\n";
    add_encoder(plan.pieces, plan.base, tables, stack, t, tokens.vocab_size);
    return plan;
  };
  const auto add_head = [&](HfPlan& plan, const std::string& prediction) {
    add_pair(plan.pieces, "generator_predictions.dense", prediction + ".dense");
    add_pair(plan.pieces, "generator_predictions.LayerNorm", prediction + ".norm");
    plan.pieces.push_back({"generator_lm_head.bias", prediction + ".bias", 0, tokens.vocab_size});
  };
  if (headless) return {plan_of("", "ElectraModel", "embeddings", "stack", options.transformer)};
  if (options.generator.size == 0) {
    HfPlan plan = plan_of("", "ElectraForMaskedLM", "embeddings", "stack", options.transformer);
    add_head(plan, "prediction");
    return {plan};
  }
  HfPlan main =
      plan_of("discriminator", "ElectraForPreTraining", "embeddings", "stack", options.transformer);
  require_option(!options.token_head, "token_head", main.architecture);
  add_pair(main.pieces, "discriminator_predictions.dense", "replaced_dense");
  add_pair(main.pieces, "discriminator_predictions.dense_prediction", "replaced_output");
  HfPlan generator = plan_of("generator", "ElectraForMaskedLM",
                             options.share_embeddings ? "embeddings" : "generator_embeddings",
                             "generator_stack", generator_options(options));
  add_head(generator, "generator_prediction");
  return {main, generator};
}

HfImport read_bert(const HfConfig& config, const std::string& type, bool pools) {
  const std::string architecture = config.architecture();
  const bool roberta = type == "roberta";
  HfImport import;
  import.tokens = {config.whole("vocab_size"), config.whole("bos_token_id", -1),
                   config.whole("eos_token_id", -1), config.whole("pad_token_id", roberta ? 1 : 0)};
  import.headless = architecture.ends_with("Model");
  const bool pairs = architecture == "BertForPreTraining";
  const bool pooler = pairs || (import.headless && pools);
  if (!import.headless && !architecture.ends_with("ForMaskedLM") && !pairs) {
    config.refuse("architectures", architecture + " is not supported");
  }
  const std::int64_t segments = config.whole("type_vocab_size", 2);
  if (segments != (roberta ? 1 : 2)) {
    config.refuse("type_vocab_size", concat("expected ", roberta ? 1 : 2, ", got ", segments));
  }
  import.positions =
      config.whole("max_position_embeddings") - (roberta ? import.tokens.pad + 1 : 0);
  import.model =
      concat("{name: ", type, ", ", encoder_options(config), ", max_positions: ", import.positions,
             ", pooler: ", pooler ? "true" : "false", "}");
  import.objective = "masked_lm";
  return import;
}

// A directory of one network: an encoder for masked tokens. The head of a discriminator has no
// place in it, and it gets a new one for tokens.
HfImport read_electra(const HfConfig& config) {
  const std::string architecture = config.architecture();
  const bool discriminator = architecture == "ElectraForPreTraining";
  HfImport import;
  import.headless = discriminator || architecture == "ElectraModel";
  if (architecture != "ElectraForMaskedLM" && !import.headless) {
    config.refuse("architectures",
                  architecture +
                      " is not supported. Supported: ElectraForMaskedLM, ElectraModel, "
                      "ElectraForPreTraining");
  }
  if (discriminator) {
    import.stem = "electra.";
    import.dropped = "discriminator_predictions.";
  }
  import.tokens = {config.whole("vocab_size"), -1, -1, config.whole("pad_token_id", 0)};
  import.positions = config.whole("max_position_embeddings");
  import.model = electra_model(config, "size: 0");
  import.objective = "masked_lm";
  return import;
}

HfImport read_electra_pair(const HfConfig& main, const HfConfig& generator, bool share_embeddings) {
  for (const auto& [config, architecture] :
       {std::pair(&main, "ElectraForPreTraining"), std::pair(&generator, "ElectraForMaskedLM")}) {
    if (config->architecture() == architecture) continue;
    config->refuse("architectures",
                   concat("expected ", architecture, ", got ", config->architecture()));
  }
  const auto differs = [&](const char* key, const auto& wanted, const auto& got) {
    fail(ExitCode::kBadData, generator.place(), ": ", key, ": expected ", wanted, " by ",
         main.place(), ", got ", got, ". Give two networks of one model");
  };
  const auto expect = [&](const char* key, std::int64_t wanted) {
    if (generator.whole(key) != wanted) differs(key, wanted, generator.whole(key));
  };
  for (const char* key :
       {"vocab_size", "embedding_size", "max_position_embeddings", "type_vocab_size"}) {
    expect(key, main.whole(key));
  }
  const std::string activation = main.text("hidden_act", "gelu");
  const std::string other_activation = generator.text("hidden_act", "gelu");
  if (other_activation != activation) differs("hidden_act", activation, other_activation);
  const double eps = main.number("layer_norm_eps", 1e-12);
  const double other_eps = generator.number("layer_norm_eps", 1e-12);
  if (other_eps != eps) differs("layer_norm_eps", eps, other_eps);
  const std::int64_t hidden = main.whole("hidden_size");
  if (hidden < 1) main.refuse("hidden_size", concat("expected at least 1, got ", hidden));
  const double share =
      static_cast<double>(generator.whole("hidden_size")) / static_cast<double>(hidden);
  for (const char* key : {"num_attention_heads", "intermediate_size"}) {
    const double wanted = share * static_cast<double>(main.whole(key));
    expect(key, std::max<std::int64_t>(1, std::llround(wanted)));
  }
  encoder_options(generator);  // refuses what main is refused for
  HfImport import;
  import.tokens = {main.whole("vocab_size"), -1, -1, main.whole("pad_token_id", 0)};
  import.positions = main.whole("max_position_embeddings");
  import.model = electra_model(main, concat("size: ", format_float(share),
                                            ", layers: ", generator.whole("num_hidden_layers")));
  import.model.insert(import.model.size() - 1,
                      concat(", share_embeddings: ", share_embeddings ? "true" : "false"));
  import.objective = "replaced_token_detection";
  return import;
}

}  // namespace pretrain
