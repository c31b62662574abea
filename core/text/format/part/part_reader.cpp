#include "core/text/format/part/part_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/escape_control.h"

namespace pretrain {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson to_library(const JsonValue& value) {
  return std::visit(
      [](const auto& data) -> OrderedJson {
        using T = std::decay_t<decltype(data)>;
        if constexpr (std::is_same_v<T, JsonValue::Array>) {
          OrderedJson array = OrderedJson::array();
          for (const JsonValue& item : data) array.push_back(to_library(item));
          return array;
        } else if constexpr (std::is_same_v<T, JsonValue::Object>) {
          OrderedJson object = OrderedJson::object();
          auto& entries = object.get_ref<OrderedJson::object_t&>();
          // Not by key, which would search linearly.
          for (const auto& member : data)
            entries.emplace_back(member.key, to_library(member.value));
          return object;
        } else {
          return data;
        }
      },
      value.data);
}

std::string quoted(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  return list;
}

}  // namespace

std::string shown_json(const JsonValue& value) {
  constexpr std::size_t kMostBytes = 60;
  if (const auto* array = std::get_if<JsonValue::Array>(&value.data); array && array->size() > 99) {
    return concat("[", array->size(), " items]");
  }
  if (const auto* object = std::get_if<JsonValue::Object>(&value.data);
      object && object->size() > 99) {
    return concat("{", object->size(), " members}");
  }
  std::string text = to_library(value).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  if (text.size() > kMostBytes) text = text.substr(0, kMostBytes) + "...";
  return escape_control(text);
}

std::string json_text(const JsonValue& value) { return to_library(value).dump(2) + "\n"; }

void refuse_part(const std::string& place, const std::string& what) {
  fail(ExitCode::kBadData, place, ": ", what,
       " is not supported. Supported parts: pretrain tokenizer verify --help");
}

PartReader::PartReader(const JsonValue& value, std::string path, std::string place)
    : members_(std::get_if<JsonValue::Object>(&value.data)),
      path_(std::move(path)),
      place_(std::move(place)) {
  if (members_ == nullptr) refuse_part(place_, path_ + " " + shown_json(value));
  if (find("type") != nullptr) {
    type_ = expect<std::string>("type", "a text");
    asked_.push_back("type");
    note("type", {type_});
  }
}

const JsonValue* PartReader::find(std::string_view key) const {
  for (const auto& member : *members_) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

const JsonValue* PartReader::raw(std::string_view key) {
  asked_.emplace_back(key);
  return find(key);
}

void PartReader::note(std::string_view key, JsonValue value) {
  canonical_.push_back({std::string(key), std::move(value)});
}

template <class T>
const T& PartReader::expect(std::string_view key, const char* what) const {
  const JsonValue* value = find(key);
  if (value == nullptr) fail_at(key, concat("is missing, expected ", what));
  const T* data = std::get_if<T>(&value->data);
  if (data == nullptr) fail_at(key, concat("is ", shown_json(*value), ", expected ", what));
  return *data;
}

bool PartReader::flag(std::string_view key, std::optional<bool> absent) {
  const bool given = raw(key) != nullptr || !absent;
  const bool value = given ? expect<bool>(key, "true or false") : *absent;
  note(key, {value});
  return value;
}

std::string PartReader::text(std::string_view key, const std::optional<std::string>& absent) {
  const bool given = raw(key) != nullptr || !absent;
  const std::string value = given ? expect<std::string>(key, "a text") : *absent;
  note(key, {value});
  return value;
}

std::uint64_t PartReader::whole(std::string_view key, std::optional<std::uint64_t> absent) {
  const bool given = raw(key) != nullptr || !absent;
  const std::uint64_t value = given ? expect<std::uint64_t>(key, "a whole number") : *absent;
  note(key, {value});
  return value;
}

std::size_t PartReader::choice(std::string_view key, const std::vector<std::string>& names,
                               const std::optional<std::string>& absent) {
  const std::string value = text(key, absent);
  const auto found = std::find(names.begin(), names.end(), value);
  if (found == names.end()) {
    fail_at(key, concat("is ", shown_json({value}), ", expected one of ", quoted(names)));
  }
  return static_cast<std::size_t>(found - names.begin());
}

std::optional<bool> PartReader::flag_or_null(std::string_view key) {
  const JsonValue* value = raw(key);
  if (value == nullptr || std::holds_alternative<std::nullptr_t>(value->data)) {
    note(key, {nullptr});
    return std::nullopt;
  }
  note(key, *value);
  return expect<bool>(key, "true, false or null");
}

std::optional<std::string> PartReader::text_or_null(std::string_view key) {
  const JsonValue* value = raw(key);
  if (value == nullptr || std::holds_alternative<std::nullptr_t>(value->data)) {
    note(key, {nullptr});
    return std::nullopt;
  }
  note(key, *value);
  return expect<std::string>(key, "a text or null");
}

const JsonValue::Array& PartReader::list(std::string_view key) {
  asked_.emplace_back(key);
  return expect<JsonValue::Array>(key, "a list");
}

JsonValue PartReader::finish() {
  for (const auto& member : *members_) {
    if (std::find(asked_.begin(), asked_.end(), member.key) == asked_.end()) refuse(member.key);
  }
  return {std::move(canonical_)};
}

void PartReader::refuse(std::string_view key) const {
  const JsonValue* value = find(key);
  refuse_part(place_, concat(path_, ".", key, value == nullptr ? "" : " " + shown_json(*value)));
}

void PartReader::refuse_type() const {
  refuse_part(place_, type_.empty() ? path_ + " without type" : path_ + " " + type_);
}

void PartReader::fail_at(std::string_view key, const std::string& what) const {
  fail(ExitCode::kBadData, place_, ": ", path_, ".", key, ": ", what);
}

}  // namespace pretrain
