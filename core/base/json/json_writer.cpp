#include "core/base/json/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace pretrain {
namespace {

std::string json_text(const JsonScalar& value) {
  struct Text {
    std::string operator()(std::nullptr_t) const { return "null"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return json_number(number); }
    std::string operator()(const std::string& text) const { return json_string(text); }
  };
  return std::visit(Text{}, value);
}

}  // namespace

std::string json_number(double value) {
  if (std::isnan(value)) return "\"nan\"";
  if (std::isinf(value)) return value > 0 ? "\"inf\"" : "\"-inf\"";
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return std::string(digits.data(), end);
}

std::string json_string(std::string_view value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

JsonObject& JsonObject::add_text(std::string_view key, const std::string& value) {
  if (text_.size() > 1) text_ += ", ";
  text_ += json_string(key) + ": " + value;
  return *this;
}

JsonObject& JsonObject::add(std::string_view key, const JsonScalar& value) {
  return add_text(key, json_text(value));
}

JsonObject& JsonObject::add(std::string_view key, const JsonObject& value) {
  return add_text(key, value.text());
}

JsonObject& JsonObject::add(std::string_view key, const std::map<std::string, double>& values) {
  JsonObject object;
  for (const auto& [name, value] : values) object.add(name, value);
  return add(key, object);
}

}  // namespace pretrain
