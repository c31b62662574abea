#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json/json_reader.h"

namespace pretrain {

/// Reads the members of one part of a tokenizer.json (an object), and collects its canonical form:
/// the members that were asked for, in that order, with the values that absent ones stand for.
/// Errors are kBadData and name file, part, member and value. Borrows the value.
class PartReader {
 public:
  /// `place`: the file; `path`: what the part is called in messages ("pre_tokenizer").
  PartReader(const JsonValue& value, std::string path, std::string place);

  const std::string& type() const { return type_; }  ///< member "type"; "" if absent
  const std::string& path() const { return path_; }
  const std::string& place() const { return place_; }

  /// The member, or `absent` if it is not there; without `absent` it must be.
  bool flag(std::string_view key, std::optional<bool> absent = {});
  std::string text(std::string_view key, const std::optional<std::string>& absent = {});
  std::uint64_t whole(std::string_view key, std::optional<std::uint64_t> absent = {});
  /// Its place among `names`; any other is refused.
  std::size_t choice(std::string_view key, const std::vector<std::string>& names,
                     const std::optional<std::string>& absent = {});
  /// The same for members that may be null.
  std::optional<bool> flag_or_null(std::string_view key);
  std::optional<std::string> text_or_null(std::string_view key);

  /// The member as it is, null if absent, and counted as asked for; its canonical form is added
  /// with note().
  const JsonValue* raw(std::string_view key);
  /// The items of a list that must be there.
  const JsonValue::Array& list(std::string_view key);
  void note(std::string_view key, JsonValue value);

  /// The canonical form. Refuses members that were not asked for.
  JsonValue finish();
  /// "PLACE: PATH.KEY VALUE is not supported. ..."
  [[noreturn]] void refuse(std::string_view key) const;
  /// "PLACE: PATH TYPE is not supported. ..."
  [[noreturn]] void refuse_type() const;
  /// "PLACE: PATH.KEY: WHAT"
  [[noreturn]] void fail_at(std::string_view key, const std::string& what) const;

 private:
  const JsonValue* find(std::string_view key) const;
  template <class T>
  const T& expect(std::string_view key, const char* what) const;
  const JsonValue::Object* members_;
  std::string path_;
  std::string place_;
  std::string type_;
  std::vector<std::string> asked_;
  JsonValue::Object canonical_;
};

/// A value as part of a message: its JSON text, cut off when long.
std::string shown_json(const JsonValue& value);
/// JSON text with two blanks of indent for each level, ending in a line feed.
std::string json_text(const JsonValue& value);
/// "PLACE: WHAT is not supported. Supported parts: ..."
[[noreturn]] void refuse_part(const std::string& place, const std::string& what);

}  // namespace pretrain
