#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace pretrain {

/// A scalar of a JSON line; nullptr is null.
using JsonScalar = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string>;

/// null if empty.
template <class T>
JsonScalar nullable(const std::optional<T>& value) {
  if (value) return *value;
  return nullptr;
}

/// Text of a number: the fewest digits that read back to the same double, in any locale. JSON has
/// no NaN and no infinity: they become the strings "nan", "inf", "-inf" (with quotes).
std::string json_number(double value);
/// Text of a string with quotes and escapes. Invalid UTF-8 becomes U+FFFD.
std::string json_string(std::string_view value);

/// One JSON object on one line, with keys in the order they were added.
class JsonObject {
 public:
  JsonObject& add(std::string_view key, const JsonScalar& value);
  JsonObject& add(std::string_view key, const JsonObject& value);
  JsonObject& add(std::string_view key, const std::map<std::string, double>& values);

  /// "{...}" without newline.
  std::string text() const { return text_ + '}'; }

 private:
  JsonObject& add_text(std::string_view key, const std::string& value);
  std::string text_ = "{";
};

}  // namespace pretrain
