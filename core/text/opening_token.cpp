#include "core/text/opening_token.h"

#include <nlohmann/json.hpp>

#include "core/text/token_roles.h"

namespace pretrain {
namespace {

using Json = nlohmann::json;

// The first id that the post-processor puts before a text; -1: none.
std::int64_t first_id(const Json& post_processor) {
  if (!post_processor.is_object()) return -1;
  const std::string type = post_processor.value("type", "");
  if (type == "TemplateProcessing") {
    const Json& single = post_processor.at("single");
    if (single.empty() || !single.front().contains("SpecialToken")) return -1;
    const Json& name = single.front().at("SpecialToken").at("id");
    const Json& ids = post_processor.at("special_tokens").at(name.get<std::string>()).at("ids");
    return ids.empty() ? -1 : ids.front().get<std::int64_t>();
  }
  if (type == "RobertaProcessing" || type == "BertProcessing") {
    return post_processor.at("cls").at(1).get<std::int64_t>();
  }
  if (type == "Sequence") {
    for (const Json& part : post_processor.at("processors")) {
      if (const std::int64_t id = first_id(part); id >= 0) return id;
    }
  }
  return -1;
}

}  // namespace

std::int64_t opening_token(const Tokenizer& tokenizer) {
  const std::int64_t bos = token_roles(tokenizer).bos;
  if (bos < 0) return -1;
  return first_id(Json::parse(tokenizer.to_json()).at("post_processor")) == bos ? bos : -1;
}

}  // namespace pretrain
