#include <utility>

#include "core/base/error.h"
#include "core/text/format/part/part_reader.h"
#include "core/text/format/part/parts.h"
#include "core/text/model/bpe.h"
#include "core/text/model/word_models.h"

namespace pretrain {
namespace {

using Texts = std::vector<std::string>;

JsonValue null() { return {nullptr}; }

bool is_null(const JsonValue* value) {
  return value == nullptr || std::holds_alternative<std::nullptr_t>(value->data);
}

// Token texts in the order of their ids, which must be 0, 1, 2, ...; notes them in that order.
Texts read_vocabulary(PartReader& part) {
  const JsonValue* value = part.raw("vocab");
  const auto* members = value == nullptr ? nullptr : std::get_if<JsonValue::Object>(&value->data);
  if (members == nullptr) fail(ExitCode::kBadData, part.place(), ": model.vocab is no map");
  Texts tokens(members->size());
  std::vector<bool> seen(tokens.size(), false);
  for (const auto& [token, id] : *members) {
    const auto* number = std::get_if<std::uint64_t>(&id.data);
    if (number == nullptr || *number >= tokens.size() || seen[*number]) {
      fail(ExitCode::kBadData, part.place(), ": model.vocab: id ", shown_json(id), " of ",
           shown_json({token}), ", expected each of 0 to ", tokens.size() - 1,
           " once. Write the file again");
    }
    seen[*number] = true;
    tokens[*number] = token;
  }
  return tokens;
}

JsonValue vocabulary_json(const Texts& tokens) {
  JsonValue::Object members;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    members.push_back({tokens[id], {std::uint64_t{id}}});
  }
  return {std::move(members)};
}

std::vector<std::uint32_t> reserved_ids(const Texts& tokens, const std::set<std::string>& special,
                                        const std::string& unknown) {
  std::vector<std::uint32_t> ids;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id] != unknown && special.contains(tokens[id])) {
      ids.push_back(static_cast<std::uint32_t>(id));
    }
  }
  return ids;
}

std::optional<std::uint32_t> unknown_id(const Texts& tokens, const std::string& unknown) {
  for (std::size_t id = 0; id < tokens.size() && !unknown.empty(); ++id) {
    if (tokens[id] == unknown) return static_cast<std::uint32_t>(id);
  }
  return std::nullopt;
}

// A merge is a pair of texts, or, in older files, both in one text with a blank between them.
std::vector<BpeMerge> read_merges(PartReader& part) {
  const JsonValue::Array& items = part.list("merges");
  std::vector<BpeMerge> merges;
  merges.reserve(items.size());
  for (const JsonValue& item : items) {
    if (const auto* text = std::get_if<std::string>(&item.data)) {
      const std::size_t blank = text->find(' ');
      if (blank != std::string::npos && text->find(' ', blank + 1) == std::string::npos) {
        merges.push_back({text->substr(0, blank), text->substr(blank + 1)});
        continue;
      }
    } else if (const auto* pair = std::get_if<JsonValue::Array>(&item.data);
               pair != nullptr && pair->size() == 2) {
      const auto* left = std::get_if<std::string>(&pair->front().data);
      const auto* right = std::get_if<std::string>(&pair->back().data);
      if (left != nullptr && right != nullptr) {
        merges.push_back({*left, *right});
        continue;
      }
    }
    part.fail_at("merges",
                 concat("item ", merges.size(), " is ", shown_json(item), ", expected two texts"));
  }
  return merges;
}

JsonValue merges_json(const std::vector<BpeMerge>& merges) {
  JsonValue::Array items;
  items.reserve(merges.size());
  for (const BpeMerge& merge : merges) {
    items.push_back({JsonValue::Array{{merge.left}, {merge.right}}});
  }
  return {std::move(items)};
}

ModelPart read_bpe(PartReader& part, bool bytes, const std::set<std::string>& special) {
  BpeOptions options;
  options.byte_level = bytes;
  const JsonValue* dropout = part.raw("dropout");
  if (!is_null(dropout) && std::get_if<double>(&dropout->data) == nullptr) part.refuse("dropout");
  if (!is_null(dropout) && std::get<double>(dropout->data) != 0) part.refuse("dropout");
  part.note("dropout", null());
  options.unknown = part.text_or_null("unk_token").value_or("");
  options.prefix = part.text_or_null("continuing_subword_prefix").value_or("");
  options.suffix = part.text_or_null("end_of_word_suffix").value_or("");
  options.fuse_unknown = part.flag("fuse_unk", false);
  options.byte_fallback = part.flag("byte_fallback", false);
  options.ignore_merges = part.flag("ignore_merges", false);
  const Texts tokens = read_vocabulary(part);
  const std::vector<BpeMerge> merges = read_merges(part);
  part.note("vocab", vocabulary_json(tokens));
  part.note("merges", merges_json(merges));
  options.reserved = reserved_ids(tokens, special, options.unknown);
  ModelPart model;
  model.unknown = unknown_id(tokens, options.unknown);
  model.object = make_bpe(tokens, merges, options, part.place());
  return model;
}

ModelPart read_word_piece(PartReader& part, const std::set<std::string>& special) {
  WordPieceOptions options;
  options.unknown = part.text("unk_token", "[UNK]");
  options.prefix = part.text("continuing_subword_prefix", "##");
  options.max_characters = part.whole("max_input_chars_per_word", 100);
  const Texts tokens = read_vocabulary(part);
  part.note("vocab", vocabulary_json(tokens));
  options.reserved = reserved_ids(tokens, special, options.unknown);
  ModelPart model;
  model.unknown = unknown_id(tokens, options.unknown);
  model.object = make_word_piece(tokens, options, part.place());
  return model;
}

ModelPart read_word_level(PartReader& part, const std::set<std::string>& special) {
  WordLevelOptions options;
  const Texts tokens = read_vocabulary(part);
  part.note("vocab", vocabulary_json(tokens));
  options.unknown = part.text("unk_token", "<unk>");
  options.reserved = reserved_ids(tokens, special, options.unknown);
  ModelPart model;
  model.unknown = unknown_id(tokens, options.unknown);
  model.object = make_word_level(tokens, options, part.place());
  return model;
}

double score_of(PartReader& part, const JsonValue& item, std::size_t id) {
  if (const auto* value = std::get_if<double>(&item.data)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&item.data)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&item.data)) {
    return static_cast<double>(*value);
  }
  part.fail_at("vocab", concat("score ", shown_json(item), " of id ", id, ", expected a number"));
}

ModelPart read_unigram(PartReader& part, const std::set<std::string>& special) {
  UnigramOptions options;
  ModelPart model;
  const JsonValue* unknown = part.raw("unk_id");
  if (is_null(unknown)) {
    part.note("unk_id", null());
  } else {
    const std::uint64_t id = part.whole("unk_id");
    if (id > UINT32_MAX) part.refuse("unk_id");
    options.unknown = static_cast<std::uint32_t>(id);
  }
  const JsonValue::Array& items = part.list("vocab");
  Texts tokens;
  std::vector<double> scores;
  JsonValue::Array canonical;
  for (const JsonValue& item : items) {
    const auto* pair = std::get_if<JsonValue::Array>(&item.data);
    const auto* text = pair != nullptr && pair->size() == 2
                           ? std::get_if<std::string>(&pair->front().data)
                           : nullptr;
    if (text == nullptr) {
      part.fail_at("vocab", concat("id ", tokens.size(), " is ", shown_json(item),
                                   ", expected a text and a score"));
    }
    tokens.push_back(*text);
    scores.push_back(score_of(part, pair->back(), scores.size()));
    canonical.push_back({JsonValue::Array{{*text}, {scores.back()}}});
  }
  if (options.unknown && *options.unknown >= tokens.size()) {
    part.fail_at("unk_id",
                 concat("is ", *options.unknown, ", expected a number below ", tokens.size()));
  }
  part.note("vocab", {std::move(canonical)});
  options.byte_fallback = part.flag("byte_fallback", false);
  model.unknown = options.unknown;
  options.reserved = reserved_ids(tokens, special, options.unknown ? tokens[*options.unknown] : "");
  model.object = make_unigram(tokens, scores, options, part.place());
  return model;
}

}  // namespace

std::string model_type(const JsonValue& model, const std::string& place) {
  PartReader part(model, "model", place);
  if (!part.type().empty()) return part.type();
  const JsonValue* vocabulary = part.raw("vocab");
  if (part.raw("merges") != nullptr) return "BPE";
  if (vocabulary != nullptr && std::holds_alternative<JsonValue::Array>(vocabulary->data)) {
    return "Unigram";
  }
  if (part.raw("max_input_chars_per_word") != nullptr) return "WordPiece";
  if (part.raw("unk_token") != nullptr && part.raw("continuing_subword_prefix") == nullptr) {
    return "WordLevel";
  }
  fail(ExitCode::kBadData, place, ": model.type is missing, expected BPE, WordPiece, Unigram or ",
       "WordLevel. Write it into the file");
}

ModelPart read_model(const JsonValue& value, bool bytes, const std::set<std::string>& special,
                     const std::string& place) {
  PartReader part(value, "model", place);
  const std::string type = model_type(value, place);
  if (part.type().empty()) part.note("type", {type});
  ModelPart model;
  if (type == "BPE") {
    model = read_bpe(part, bytes, special);
  } else if (type == "WordPiece") {
    model = read_word_piece(part, special);
  } else if (type == "WordLevel") {
    model = read_word_level(part, special);
  } else if (type == "Unigram") {
    model = read_unigram(part, special);
  } else {
    part.refuse_type();
  }
  model.json = part.finish();
  return model;
}

}  // namespace pretrain
