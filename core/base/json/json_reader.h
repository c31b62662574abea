#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pretrain {

/// A parsed JSON value. Numbers keep their kind: a whole number is std::uint64_t, or std::int64_t
/// if negative; one with a point or an exponent is a double. Objects keep the order of the text.
struct JsonValue {
  struct Member;
  using Array = std::vector<JsonValue>;
  using Object = std::vector<Member>;
  std::variant<std::nullptr_t, bool, std::uint64_t, std::int64_t, double, std::string, Array,
               Object>
      data;
};

struct JsonValue::Member {
  std::string key;
  JsonValue value;
};

/// What a text from outside may cost before it is refused.
struct JsonLimits {
  std::size_t max_bytes = std::size_t{64} << 20;
  std::size_t max_values = 1'000'000;
  std::size_t max_depth = 64;
};

/// Strict JSON (RFC 8259): valid UTF-8, one value, no duplicate keys, numbers within range, within
/// the limits. Throws kBadData with `place` (the file) and the reason.
JsonValue parse_json(std::string_view text, const std::string& place,
                     const JsonLimits& limits = {});
/// Throws as parse_json does. For texts that a lenient library reads next.
void check_json(std::string_view text, const std::string& place, const JsonLimits& limits = {});

/// Reads a JsonValue with the types its owner expects; everything else throws kBadData naming file
/// and key ("state.json: data.samples: expected a whole number"). Borrows the value.
class JsonReader {
 public:
  JsonReader(const JsonValue& value, std::string place)
      : value_(&value), place_(std::move(place)) {}

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_->data); }
  bool has(std::string_view key) const;       ///< an object with this member
  JsonReader at(std::string_view key) const;  ///< that member; it must be there
  std::uint64_t whole() const;                ///< a whole number >= 0
  std::int64_t integer() const;               ///< a whole number of either sign
  bool boolean() const;                       ///< true or false
  double number() const;                      ///< any number, or "nan", "inf", "-inf"
  const std::string& text() const;
  std::vector<JsonReader> items() const;                            ///< of an array
  std::vector<std::pair<std::string, JsonReader>> members() const;  ///< of an object

  const std::string& place() const { return place_; }
  [[noreturn]] void refuse(const std::string& expected) const;  ///< "PLACE: expected ..."

 private:
  template <class T>
  const T& expect(const char* what) const;
  const JsonValue* value_;
  std::string place_;
};

/// "nan", "inf" or "-inf", as number() reads them, for values JSON has no number for; else null.
const char* non_finite_name(double value);

}  // namespace pretrain
