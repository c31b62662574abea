#include <utility>

#include "core/base/error.h"
#include "core/text/format/part/part_reader.h"
#include "core/text/format/part/parts.h"
#include "core/text/pipeline/pipeline_tokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace pretrain {
namespace {

const JsonValue kNull = {nullptr};

std::unique_ptr<Tokenizer> read_pipeline(PartReader& root, const std::string& place) {
  const auto part_of = [&](const char* key) -> const JsonValue& {
    const JsonValue* value = root.raw(key);
    return value == nullptr ? kNull : *value;
  };
  AddedTokensPart added = read_added_tokens(part_of("added_tokens"), place);
  std::set<std::string> special;
  for (const AddedToken& token : added.tokens) {
    if (token.special) special.insert(token.content);
  }
  const JsonValue& model_value = part_of("model");
  const bool bpe = model_type(model_value, place) == "BPE";
  PreTokenizerPart pre_tokenizer = read_pre_tokenizer(part_of("pre_tokenizer"), bpe, place);
  ModelPart model = read_model(model_value, pre_tokenizer.bytes, special, place);
  check_added_ids(added.tokens, *model.object, place);
  const auto id_of = [&](std::string_view text) -> std::optional<std::uint32_t> {
    for (const AddedToken& token : added.tokens) {
      if (token.content == text) return token.id;
    }
    return model.object->id_of(text);
  };
  NormalizerPart normalizer = read_normalizer(part_of("normalizer"), place);
  JsonValue post_processor = read_post_processor(part_of("post_processor"), id_of, place);
  DecoderPart decoder = read_decoder(part_of("decoder"), place);

  // In the order in which `tokenizers` writes them.
  root.text("version", "1.0");
  root.note("truncation", {nullptr});
  root.note("padding", {nullptr});
  root.note("added_tokens", std::move(added.json));
  root.note("normalizer", std::move(normalizer.json));
  root.note("pre_tokenizer", std::move(pre_tokenizer.json));
  root.note("post_processor", std::move(post_processor));
  root.note("decoder", std::move(decoder.json));
  root.note("model", std::move(model.json));
  PipelineParts parts;
  parts.json = json_text(root.finish());
  parts.normalizer = std::move(normalizer.object);
  parts.pre_tokenizer = std::move(pre_tokenizer.object);
  parts.model = std::move(model.object);
  parts.decoder = std::move(decoder.object);
  parts.added = std::move(added.tokens);
  parts.unknown = model.unknown;
  parts.bytes = pre_tokenizer.bytes;
  parts.pattern = pre_tokenizer.pattern;
  parts.prefix_space = pre_tokenizer.prefix_space;
  return make_pipeline_tokenizer(std::move(parts));
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json, const std::string& place) {
  // The limit of the size bounds the number of tokens and merges too.
  const JsonValue value =
      parse_json(json, place, {.max_bytes = kMaxTokenizerJson, .max_values = kMaxTokenizerJson});
  if (!JsonReader(value, place).has("model")) {
    fail(ExitCode::kBadData, place, ": no model in it, expected a tokenizer.json");
  }
  if (auto plain = read_plain_bpe(value)) return plain;
  PartReader root(value, "the file", place);
  // How rows are cut and filled is not the tokenizer's business here.
  for (const char* key : {"truncation", "padding"}) root.raw(key);
  try {
    return read_pipeline(root, place);
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with(place)) throw;
    fail(error.code(), place, ": ", what);  // of a part that does not know the file
  }
}

}  // namespace pretrain
