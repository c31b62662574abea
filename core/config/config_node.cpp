#include "core/config/config_node.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/base/error.h"

namespace pretrain {

std::string to_string(const Mark& mark) {
  if (mark.line == 0) return mark.file;
  return concat(mark.file, ':', mark.line, ':', mark.column);
}

ConfigNode ConfigNode::null(Mark mark) {
  ConfigNode node;
  node.mark_ = std::move(mark);
  return node;
}

ConfigNode ConfigNode::scalar(std::string text, bool quoted, Mark mark) {
  ConfigNode node = null(std::move(mark));
  node.kind_ = Kind::kScalar;
  node.quoted_ = quoted || !is_plain(text);
  node.text_ = std::move(text);
  return node;
}

ConfigNode ConfigNode::plain(std::string text, Mark mark) {
  if (is_null_word(text)) return null(std::move(mark));
  return scalar(std::move(text), false, std::move(mark));
}

ConfigNode ConfigNode::map(Mark mark) {
  ConfigNode node = null(std::move(mark));
  node.kind_ = Kind::kMap;
  return node;
}

ConfigNode ConfigNode::list(Mark mark) {
  ConfigNode node = null(std::move(mark));
  node.kind_ = Kind::kList;
  return node;
}

const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.key == key) return &entry.node;
  }
  return nullptr;
}

void ConfigNode::set(std::string_view key, ConfigNode node, Mark key_mark) {
  for (Entry& entry : entries_) {
    if (entry.key != key) continue;
    entry.node = std::move(node);
    entry.key_mark = std::move(key_mark);
    return;
  }
  append_entry(std::string(key), std::move(key_mark), std::move(node));
}

void ConfigNode::append_entry(std::string key, Mark key_mark, ConfigNode node) {
  entries_.push_back({std::move(key), std::move(key_mark), std::move(node)});
}

bool ConfigNode::erase(std::string_view key) {
  return std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; }) > 0;
}

void ConfigNode::append(ConfigNode item) { items_.push_back(std::move(item)); }

bool ConfigNode::operator==(const ConfigNode& other) const {
  return kind_ == other.kind_ && text_ == other.text_ && quoted_ == other.quoted_ &&
         items_ == other.items_ &&
         std::equal(
             entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
             [](const Entry& a, const Entry& b) { return a.key == b.key && a.node == b.node; });
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() <= kShown) return std::string(text);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string shown(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigNode::Kind::kNull:
      return "null";
    case ConfigNode::Kind::kMap:
      return "a map";
    case ConfigNode::Kind::kList:
      return "a list";
    case ConfigNode::Kind::kScalar:
      break;
  }
  return node.quoted() ? "the quoted text \"" + shortened(node.text()) + '"'
                       : shortened(node.text());
}

bool is_null_word(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords = {"", "~", "null", "Null", "NULL"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

bool is_plain(std::string_view text) {
  if (is_null_word(text) || text.front() == ' ' || text.back() == ' ' || text.back() == ':' ||
      text.starts_with("---") || text.starts_with("...")) {
    return false;
  }
  constexpr std::string_view kIndicators = ",[]{}#&*!|>'\"%@`";
  if (kIndicators.find(text.front()) != std::string_view::npos) return false;
  constexpr std::string_view kBeforeBlank = "-?:";
  if (kBeforeBlank.find(text.front()) != std::string_view::npos &&
      (text.size() == 1 || text[1] == ' ')) {
    return false;
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return std::none_of(text.begin(), text.end(), is_control) &&
         text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

namespace {

std::string double_quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + '"';
}

// Inside [] and {} more characters end a plain scalar than in block style.
bool is_plain_in_flow(std::string_view text) {
  return is_plain(text) && text.find_first_of(",[]{}:?") == std::string_view::npos;
}

std::string key_text(const std::string& key, bool in_flow) {
  const bool plain = key != "<<" && (in_flow ? is_plain_in_flow(key) : is_plain(key));
  return plain ? key : double_quoted(key);
}

bool is_leaf(const ConfigNode& node) { return node.entries().empty() && node.items().empty(); }

std::string leaf_text(const ConfigNode& node) {
  if (node.is_map()) return "{}";
  if (node.is_list()) return "[]";
  if (node.is_null()) return "null";
  return node.quoted() ? double_quoted(node.text()) : node.text();
}

// Writes a non-empty map or list. The cursor already stands at the column of its first line.
void write_block(const ConfigNode& node, std::size_t indent, std::string& out) {
  bool first = true;
  const auto begin_line = [&] {
    if (!first) out.append(indent, ' ');
    first = false;
  };
  for (const ConfigNode::Entry& entry : node.entries()) {
    begin_line();
    out += key_text(entry.key, false) + ':';
    if (is_leaf(entry.node)) {
      out += ' ' + leaf_text(entry.node) + '\n';
    } else {
      out.append(1, '\n').append(indent + 2, ' ');
      write_block(entry.node, indent + 2, out);
    }
  }
  for (const ConfigNode& item : node.items()) {
    begin_line();
    out += "- ";
    if (is_leaf(item)) {
      out += leaf_text(item) + '\n';
    } else {
      write_block(item, indent + 2, out);
    }
  }
}

}  // namespace

std::string to_yaml(const ConfigNode& map) {
  if (is_leaf(map)) return leaf_text(map) + '\n';
  std::string out;
  write_block(map, 0, out);
  return out;
}

std::string to_flow(const ConfigNode& node) {
  std::string out;
  if (node.is_map()) {
    for (const ConfigNode::Entry& entry : node.entries()) {
      out += (out.empty() ? "" : ", ") + key_text(entry.key, true) + ": " + to_flow(entry.node);
    }
    return '{' + out + '}';
  }
  if (node.is_list()) {
    for (const ConfigNode& item : node.items()) out += (out.empty() ? "" : ", ") + to_flow(item);
    return '[' + out + ']';
  }
  if (node.is_scalar() && !node.quoted() && !is_plain_in_flow(node.text())) {
    return double_quoted(node.text());
  }
  return leaf_text(node);
}

}  // namespace pretrain
