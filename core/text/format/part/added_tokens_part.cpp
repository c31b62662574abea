#include <algorithm>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/text/format/part/part_reader.h"
#include "core/text/format/part/parts.h"

namespace pretrain {

AddedTokensPart read_added_tokens(const JsonValue& value, const std::string& place) {
  AddedTokensPart part;
  if (std::holds_alternative<std::nullptr_t>(value.data)) return part;
  const auto* items = std::get_if<JsonValue::Array>(&value.data);
  if (items == nullptr) refuse_part(place, "added_tokens " + shown_json(value));
  std::set<std::string> texts;
  std::vector<std::pair<std::uint32_t, JsonValue>> canonical;
  for (const JsonValue& item : *items) {
    PartReader reader(item, "added_tokens", place);
    const std::uint64_t id = reader.whole("id");
    if (id >= UINT32_MAX) reader.refuse("id");
    AddedToken token{.id = static_cast<std::uint32_t>(id), .content = reader.text("content")};
    if (token.content.empty()) reader.fail_at("content", "is empty, expected a text");
    if (!texts.insert(token.content).second) {
      reader.fail_at("content", shown_json({token.content}) + " is given twice. Remove one");
    }
    token.single_word = reader.flag("single_word");
    token.lstrip = reader.flag("lstrip");
    token.rstrip = reader.flag("rstrip");
    token.normalized = reader.flag("normalized");
    token.special = reader.flag("special");
    canonical.emplace_back(token.id, reader.finish());
    part.tokens.push_back(std::move(token));
  }
  std::stable_sort(canonical.begin(), canonical.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  JsonValue::Array sorted;
  for (auto& [id, json] : canonical) sorted.push_back(std::move(json));
  part.json = {std::move(sorted)};
  return part;
}

void check_added_ids(const std::vector<AddedToken>& tokens, const TextModel& model,
                     const std::string& place) {
  std::uint64_t next = model.size();
  for (const AddedToken& token : tokens) {
    const auto known = model.id_of(token.content);
    const std::uint64_t expected = known ? *known : next++;
    if (token.id != expected) {
      fail(ExitCode::kBadData, place, ": added_tokens.id ", token.id, " of ",
           shown_json({token.content}), ", expected ", expected,
           known ? ", its id in model.vocab" : ", the next free one", ". Write the file again");
    }
  }
}

}  // namespace pretrain
