#include "models/hugging_face/classes.h"

#include <nlohmann/json.hpp>

#include "core/base/json/json_reader.h"
#include "core/config/option_reader.h"
#include "models/electra.h"
#include "models/encoder.h"
#include "models/hugging_face/families.h"

namespace pretrain {
namespace {

template <class Options>
Options options_of(const ConfigNode& model) {
  ConfigNode root = ConfigNode::map();
  root.set("model", model);
  ErrorList errors;
  OptionReader reader(root, "model", errors);
  Options options;
  options.visit(reader);
  errors.throw_if_any();
  return options;
}

}  // namespace

std::vector<HfPlan> export_plans(const ConfigNode& model, std::int64_t positions,
                                 const HfTokens& tokens, bool headless) {
  const std::string name = model.find("name")->text();
  if (name == "gpt2") return {gpt2_plan(options_of<TransformerOptions>(model), positions, tokens)};
  if (name == "gpt1") return {gpt1_plan(options_of<TransformerOptions>(model), positions, tokens)};
  if (name == "llama")
    return {llama_plan(options_of<TransformerOptions>(model), positions, tokens)};
  if (name == "t5")
    return {t5_plan(model, options_of<TransformerOptions>(model), positions, tokens)};
  if (name == "bert" || name == "roberta") {
    auto options = options_of<Encoder::Options>(model);
    if (name == "roberta") options.segments = 1;
    return {bert_plan(name, options, positions, tokens, headless)};
  }
  if (name == "electra")
    return electra_plans(options_of<Electra::Options>(model), positions, tokens, headless);
  fail(ExitCode::kBadConfig, "model.name ", name, ": Hugging Face has no class for it");
}

HfImport read_config_json(const std::string& text, const std::string& place, bool pools) {
  const JsonValue value = parse_json(text, place);
  const HfConfig config(JsonReader(value, place));
  const std::string type = JsonReader(value, place).at("model_type").text();
  const auto read = [&] {
    if (type == "gpt2") return read_gpt2(config);
    if (type == "openai-gpt") return read_gpt1(config);
    if (type == "llama") return read_llama(config);
    if (type == "t5") return read_t5(config);
    if (type == "bert" || type == "roberta") return read_bert(config, type, pools);
    if (type == "electra") return read_electra(config);
    fail(ExitCode::kBadData, place, ": model_type ", type,
         " is not supported. Supported: gpt2, openai-gpt, llama, bert, roberta, electra, t5");
  };
  HfImport import = read();
  config.refuse_unread();
  return import;
}

HfImport read_electra_pair(const std::string& main_text, const std::string& main_place,
                           const std::string& generator_text, const std::string& generator_place,
                           bool share_embeddings) {
  const JsonValue main_value = parse_json(main_text, main_place);
  const JsonValue generator_value = parse_json(generator_text, generator_place);
  const HfConfig main(JsonReader(main_value, main_place));
  const HfConfig generator(JsonReader(generator_value, generator_place));
  HfImport import = read_electra_pair(main, generator, share_embeddings);
  main.refuse_unread();
  generator.refuse_unread();
  return import;
}

}  // namespace pretrain
