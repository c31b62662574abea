#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/option_table.h"
#include "core/config/option_values.h"
#include "core/config/scalars.h"

namespace pretrain {

namespace {

using Json = nlohmann::ordered_json;

Json typed(const char* type) { return Json{{"type", type}}; }

Json pattern(const char* expression) { return Json{{"type", "string"}, {"pattern", expression}}; }

// Any scalar may be an interpolation, of which an editor sees only the text.
Json interpolation() { return pattern("\\$\\{"); }

Json ranged(const char* type, const OptionInfo& info) {
  Json schema = typed(type);
  if (std::isfinite(info.min)) schema["minimum"] = info.min;
  if (std::isfinite(info.max)) schema["maximum"] = info.max;
  return schema;
}

Json any_of(std::vector<Json> schemas) {
  if (schemas.size() == 1) return schemas.front();
  return Json{{"anyOf", std::move(schemas)}};
}

Json count_schema(const OptionInfo& info) {
  return any_of({ranged("integer", info), pattern("^-?[0-9]+([kMGT]|[KMG]i)$")});
}

Json choices_schema(OptionType type, const OptionInfo& info) {
  Json values = Json::array();
  for (const char* choice : info.choices) {
    if (type == OptionType::kInteger) {
      values.push_back(parse_int(choice).value.value_or(0));
    } else {
      values.push_back(choice);
    }
  }
  return Json{{"enum", values}};
}

Json scalar_schema(OptionType type, const OptionInfo& info) {
  if (!info.choices.empty() && info.kind != OptionKind::kPath) return choices_schema(type, info);
  switch (info.kind) {
    case OptionKind::kCount:
      return count_schema(info);
    case OptionKind::kBytes:
      return pattern("^-?[0-9]+([kMG]|[KMG]i)?B$");
    case OptionKind::kTime:
      return pattern("^[0-9.]+[smhd]([0-9]+[smh])*$");
    default:
      break;
  }
  if (type == OptionType::kBool) return typed("boolean");
  if (type == OptionType::kInteger) return ranged("integer", info);
  if (type == OptionType::kNumber) return ranged("number", info);
  // Unquoted digits and words of truth are text where an option wants text.
  return any_of({typed("string"), typed("number"), typed("boolean")});
}

Json span_schema(const OptionInfo& info) {
  Json properties = Json::object();
  for (const Span::Unit unit : span_units(info)) {
    const bool is_counted =
        unit == Span::Unit::kSteps || unit == Span::Unit::kTokens || unit == Span::Unit::kSamples;
    OptionInfo amount = info;
    amount.min = std::max(info.min, 0.0);
    properties[span_unit_name(unit)] =
        any_of({is_counted ? count_schema(amount) : ranged("number", amount), interpolation()});
  }
  return Json{{"type", "object"},
              {"properties", properties},
              {"additionalProperties", false},
              {"minProperties", 1},
              {"maxProperties", 1}};
}

Json list_of(OptionType item, const OptionInfo& info) {
  return Json{{"type", "array"}, {"items", any_of({scalar_schema(item, info), interpolation()})}};
}

Json map_of(OptionType item, const OptionInfo& info) {
  return Json{{"type", "object"},
              {"additionalProperties", any_of({scalar_schema(item, info), interpolation()})}};
}

// The schema of an object, to be filled with properties.
Json object_schema() {
  return Json{{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
}

Json value_schema(const OptionRow& row) {
  switch (row.type) {
    case OptionType::kSpan:
      return span_schema(row.info);
    case OptionType::kNumbers:
      return list_of(OptionType::kNumber, row.info);
    case OptionType::kIntegers:
      return list_of(OptionType::kInteger, row.info);
    case OptionType::kTexts:
      return list_of(OptionType::kText, row.info);
    case OptionType::kNumberMap:
      return map_of(OptionType::kNumber, row.info);
    case OptionType::kTextMap:
      return map_of(OptionType::kText, row.info);
    case OptionType::kMaps:
      return Json{{"type", "array"}, {"items", object_schema()}};
    case OptionType::kSection:
      return object_schema();
    default:
      return any_of({scalar_schema(row.type, row.info), interpolation()});
  }
}

Json null_schema(const std::string& word) {
  return word == "null" ? typed("null") : Json{{"const", word}};
}

std::string description(const OptionRow& row) {
  std::string text = row.meaning_text();
  if (*row.info.unit != '\0') text += ". Unit: " + std::string(row.info.unit);
  return text + ". Default: " + row.default_text + (row.info.identity ? ". Identity" : "");
}

Json& object_at(Json& root, const std::string& section);

// Adds the row to the properties of its section, beside what other components put there.
void add_row(Json& root, const OptionRow& row) {
  Json& properties = object_at(root, row.section)["properties"];
  Json schema = value_schema(row);
  if (row.info.null_word) schema = any_of({schema, null_schema(row.info.null_word)});
  if (!properties.contains(row.name)) {
    schema["description"] = description(row);
    properties[row.name] = std::move(schema);
    return;
  }
  Json& known = properties[row.name];
  // The rows of two components may differ in their defaults only.
  const std::string both = known.value("description", "") + "\n" + description(row);
  known.erase("description");
  if (known != schema) known = any_of({std::move(known), std::move(schema)});
  known["description"] = both;
}

// Goes into an alternative of `schema` that is an object (or `type`), which rows below it fill.
Json& alternative(Json& schema, const char* type) {
  if (schema.value("type", "") == type || !schema.contains("anyOf")) return schema;
  for (Json& option : schema["anyOf"]) {
    Json& inner = alternative(option, type);
    if (inner.value("type", "") == type) return inner;
  }
  return schema;
}

// The object of a section such as "model.moe" or "data.sources[]", made where it is missing.
Json& object_at(Json& root, const std::string& section) {
  Json* object = &root;
  std::size_t begin = 0;
  while (begin < section.size()) {
    const std::size_t end = std::min(section.find('.', begin), section.size());
    std::string name = section.substr(begin, end - begin);
    begin = end + 1;
    const bool is_list = name.ends_with("[]");
    if (is_list) name.resize(name.size() - 2);
    Json& properties = (*object)["properties"];
    if (!properties.contains(name)) properties[name] = object_schema();
    object = &alternative(properties[name], is_list ? "array" : "object");
    if (is_list) object = &(*object)["items"];
  }
  return *object;
}

}  // namespace

std::string options_schema(const std::vector<OptionRow>& rows) {
  Json root = {{"$schema", "http://json-schema.org/draft-07/schema#"},
               {"title", "pretrain configuration"}};
  root.update(object_schema());
  root["properties"]["include"] = {
      {"type", "array"},
      {"items", typed("string")},
      {"description", "Files of lower precedence, relative to this one"}};
  for (const OptionRow& row : rows) add_row(root, row);
  return root.dump(2) + '\n';
}

}  // namespace pretrain
