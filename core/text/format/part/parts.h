#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json/json_reader.h"
#include "core/text/model/text_model.h"
#include "core/text/pipeline/added_tokens.h"
#include "core/text/pipeline/decoder.h"
#include "core/text/pipeline/normalizer.h"
#include "core/text/pipeline/pre_tokenizer.h"
#include "core/text/split/split_pattern.h"

namespace pretrain {

// The parts of a tokenizer.json: each function reads one and gives the object with the canonical
// form of the JSON. null in the file is a null object. `place` is the file. All throw kBadData
// naming what is not supported, missing, or does not fit.

struct NormalizerPart {
  std::unique_ptr<Normalizer> object = {};
  JsonValue json = {nullptr};
};
NormalizerPart read_normalizer(const JsonValue& value, const std::string& place);

struct PreTokenizerPart {
  std::unique_ptr<PreTokenizer> object = {};
  JsonValue json = {nullptr};
  bool bytes = false;  ///< its last part is ByteLevel, and leaves the bytes to the model
  std::optional<SplitPattern> pattern = {};  ///< as in PipelineParts
  bool prefix_space = false;                 ///< as in PipelineParts
};
/// `byte_model`: the model can take bytes, so that ByteLevel, where it comes last, need not write
/// them as symbols.
PreTokenizerPart read_pre_tokenizer(const JsonValue& value, bool byte_model,
                                    const std::string& place);

struct DecoderPart {
  std::unique_ptr<TokenDecoder> object = {};
  JsonValue json = {nullptr};
};
DecoderPart read_decoder(const JsonValue& value, const std::string& place);

struct ModelPart {
  std::unique_ptr<TextModel> object = {};
  JsonValue json = {nullptr};
  std::optional<std::uint32_t> unknown = {};  ///< id of the unknown token
};
/// "BPE", "WordPiece", "Unigram" or "WordLevel"; of a file without model.type the one that has its
/// members.
std::string model_type(const JsonValue& model, const std::string& place);
/// `bytes`: BPE over bytes. `special`: texts of the special tokens, which text never becomes.
ModelPart read_model(const JsonValue& value, bool bytes, const std::set<std::string>& special,
                     const std::string& place);

struct AddedTokensPart {
  std::vector<AddedToken> tokens = {};  ///< in the order of the file
  JsonValue json = {JsonValue::Array()};
};
AddedTokensPart read_added_tokens(const JsonValue& value, const std::string& place);
/// Refuses ids that differ from those that `tokenizers` would give: the model's id of the text,
/// else the next free one.
void check_added_ids(const std::vector<AddedToken>& tokens, const TextModel& model,
                     const std::string& place);

/// Checks a post-processor; it concerns whoever wraps rows, encode does not apply it. `ids`: the id
/// of a token's text.
using TokenIds = std::function<std::optional<std::uint32_t>(std::string_view)>;
JsonValue read_post_processor(const JsonValue& value, const TokenIds& ids,
                              const std::string& place);

}  // namespace pretrain
