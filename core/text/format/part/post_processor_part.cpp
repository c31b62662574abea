#include <utility>

#include "core/base/error.h"
#include "core/text/format/part/part_reader.h"
#include "core/text/format/part/parts.h"

namespace pretrain {
namespace {

class Reader {
 public:
  Reader(const TokenIds& ids, const std::string& place) : ids_(ids), place_(place) {}

  JsonValue read(const JsonValue& value) {
    PartReader part(value, "post_processor", place_);
    const std::string& type = part.type();
    if (type == "TemplateProcessing") {
      read_template(part);
    } else if (type == "ByteLevel") {
      part.flag("add_prefix_space", true);
      part.flag("trim_offsets", true);
      part.flag("use_regex", true);
    } else if (type == "BertProcessing") {
      read_pair(part, "sep");
      read_pair(part, "cls");
    } else if (type == "RobertaProcessing") {
      read_pair(part, "sep");
      read_pair(part, "cls");
      part.flag("trim_offsets", true);
      part.flag("add_prefix_space", true);
    } else if (type == "Sequence") {
      JsonValue::Array canonical;
      for (const JsonValue& item : part.list("processors")) canonical.push_back(read(item));
      part.note("processors", {std::move(canonical)});
    } else {
      part.refuse_type();
    }
    return part.finish();
  }

 private:
  void check_token(PartReader& part, std::string_view key, const std::string& text,
                   const JsonValue& id) const {
    const auto* number = std::get_if<std::uint64_t>(&id.data);
    const auto known = ids_(text);
    if (!known) part.fail_at(key, concat(shown_json({text}), " is no token of this file"));
    if (number == nullptr || *number != *known) {
      part.fail_at(
          key, concat("id ", shown_json(id), " of ", shown_json({text}), ", expected ", *known));
    }
  }

  // ["[SEP]", 102]
  void read_pair(PartReader& part, std::string_view key) const {
    const JsonValue::Array& pair = part.list(key);
    const auto* text = pair.size() == 2 ? std::get_if<std::string>(&pair.front().data) : nullptr;
    if (text == nullptr) part.fail_at(key, "expected a token and its id");
    check_token(part, key, *text, pair.back());
    part.note(key, {pair});
  }

  void read_template(PartReader& part) const {
    const JsonValue* specials = part.raw("special_tokens");
    const auto* members =
        specials == nullptr ? nullptr : std::get_if<JsonValue::Object>(&specials->data);
    if (members == nullptr) part.fail_at("special_tokens", "expected a map");
    JsonValue::Object canonical;
    std::set<std::string> known;
    for (const auto& [name, value] : *members) {
      canonical.push_back({name, read_special(value)});
      known.insert(name);
    }
    for (const char* key : {"single", "pair"}) {
      JsonValue::Array pieces;
      for (const JsonValue& piece : part.list(key)) pieces.push_back(read_piece(piece, known));
      part.note(key, {std::move(pieces)});
    }
    part.note("special_tokens", {std::move(canonical)});
  }

  // {"id": "[CLS]", "ids": [101], "tokens": ["[CLS]"]}
  JsonValue read_special(const JsonValue& value) const {
    PartReader part(value, "post_processor.special_tokens", place_);
    part.text("id");
    const JsonValue::Array& ids = part.list("ids");
    const JsonValue::Array& tokens = part.list("tokens");
    if (ids.size() != tokens.size()) part.fail_at("ids", "are not as many as tokens");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto* text = std::get_if<std::string>(&tokens[i].data);
      if (text == nullptr) part.fail_at("tokens", "expected texts");
      check_token(part, "ids", *text, ids[i]);
    }
    part.note("ids", {ids});
    part.note("tokens", {tokens});
    return part.finish();
  }

  // {"SpecialToken": {"id": "[CLS]", "type_id": 0}} or {"Sequence": {"id": "A", "type_id": 0}}
  JsonValue read_piece(const JsonValue& value, const std::set<std::string>& known) const {
    PartReader piece(value, "post_processor.single", place_);
    const JsonValue* special = piece.raw("SpecialToken");
    const JsonValue* sequence = piece.raw("Sequence");
    if ((special == nullptr) == (sequence == nullptr)) {
      refuse_part(place_, "post_processor piece " + shown_json(value));
    }
    PartReader inner(special != nullptr ? *special : *sequence, "post_processor piece", place_);
    const std::string id = inner.text("id");
    inner.whole("type_id");
    if (special != nullptr && !known.contains(id)) {
      inner.fail_at("id", concat(shown_json({id}), " is none of special_tokens"));
    }
    if (sequence != nullptr && id != "A" && id != "B") inner.refuse("id");
    piece.note(special != nullptr ? "SpecialToken" : "Sequence", inner.finish());
    return piece.finish();
  }

  const TokenIds& ids_;
  const std::string& place_;
};

}  // namespace

JsonValue read_post_processor(const JsonValue& value, const TokenIds& ids,
                              const std::string& place) {
  if (std::holds_alternative<std::nullptr_t>(value.data)) return {nullptr};
  return Reader(ids, place).read(value);
}

}  // namespace pretrain
