#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// Where a piece of configuration stands. Line and column count from 1, columns in bytes; line 0
/// means that `file` is the whole place, as in "override a.b=c".
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;
  /// Relative paths standing here start at the working directory instead of the folder of `file`:
  /// true for overrides and for text that was resolved before.
  bool from_working_directory = false;
};

/// "q.yaml:14:3", or only the file for line 0.
std::string to_string(const Mark& mark);

/// A configuration value before it is typed: nothing, the text of a scalar, a map that keeps the
/// order of its keys, or a list. Scalars are typed by the option that reads them, never by their
/// look. A value type; comparison ignores the marks.
class ConfigNode {
 public:
  enum class Kind { kNull, kScalar, kMap, kList };
  struct Entry;

  ConfigNode() = default;
  static ConfigNode null(Mark mark = {});
  /// `quoted` is also set where `text` could not stand in a file without quotes (see is_plain).
  static ConfigNode scalar(std::string text, bool quoted = false, Mark mark = {});
  /// What `text` means where it stands without quotes: null for the words of null, else a scalar.
  static ConfigNode plain(std::string text, Mark mark = {});
  static ConfigNode map(Mark mark = {});
  static ConfigNode list(Mark mark = {});

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_scalar() const { return kind_ == Kind::kScalar; }
  bool is_map() const { return kind_ == Kind::kMap; }
  bool is_list() const { return kind_ == Kind::kList; }
  const Mark& mark() const { return mark_; }

  /// Of a scalar; a quoted one is text and nothing else.
  const std::string& text() const { return text_; }
  bool quoted() const { return quoted_; }

  /// Of a map, in order; keys are distinct.
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<Entry>& entries() { return entries_; }
  /// The value of `key`, or nullptr. Linear in the number of keys.
  const ConfigNode* find(std::string_view key) const;
  /// Replaces the value of `key` in its place, or appends it.
  void set(std::string_view key, ConfigNode node, Mark key_mark = {});
  /// Appends without looking for `key`, which must be new.
  void append_entry(std::string key, Mark key_mark, ConfigNode node);
  /// False if there is no such key.
  bool erase(std::string_view key);

  /// Of a list.
  const std::vector<ConfigNode>& items() const { return items_; }
  std::vector<ConfigNode>& items() { return items_; }
  void append(ConfigNode item);

  bool operator==(const ConfigNode& other) const;

 private:
  Kind kind_ = Kind::kNull;
  bool quoted_ = false;
  Mark mark_;
  std::string text_;
  std::vector<Entry> entries_;
  std::vector<ConfigNode> items_;
};

struct ConfigNode::Entry {
  std::string key;
  Mark key_mark;
  ConfigNode node;
};

/// "null", "a map", "a list" or the text of a scalar, shortened, for messages that end in "got
/// ...".
std::string shown(const ConfigNode& node);
/// `text` cut to 60 bytes at a character.
std::string shortened(std::string_view text);

/// True for the words that mean null without quotes: null Null NULL ~ and no text at all.
bool is_null_word(std::string_view text);
/// True if `text` needs no quotes in block style and is no word of null.
bool is_plain(std::string_view text);

/// Canonical YAML, block style, two blanks a level; read_yaml gives an equal node again. `map` is
/// the root of a document.
std::string to_yaml(const ConfigNode& map);
/// The same on one line: "{steps: 100}", "[0.9, 0.95]".
std::string to_flow(const ConfigNode& node);

}  // namespace pretrain
