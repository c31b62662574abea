#include "core/config/option_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>

#include "core/config/option_values.h"

namespace pretrain {

namespace {

std::string bare_type(const OptionRow& row) {
  switch (row.type) {
    case OptionType::kBool:
      return "bool";
    case OptionType::kInteger:
    case OptionType::kNumber:
      if (row.info.kind == OptionKind::kCount) return "count";
      if (row.info.kind == OptionKind::kBytes) return "bytes";
      if (row.info.kind == OptionKind::kTime) return "time";
      return row.type == OptionType::kInteger ? "int" : "float";
    case OptionType::kText:
      return row.info.kind == OptionKind::kPath ? "path" : "text";
    case OptionType::kSpan:
      return "span";
    case OptionType::kNumbers:
      return "list of float";
    case OptionType::kIntegers:
      return "list of int";
    case OptionType::kTexts:
      return row.info.kind == OptionKind::kPath ? "list of path" : "list of text";
    case OptionType::kNumberMap:
      return "map of float";
    case OptionType::kTextMap:
      return "map of text";
    case OptionType::kMaps:
      return "list of maps";
    case OptionType::kSection:
      return "map";
  }
  return "";
}

bool same_row(const OptionRow& a, const OptionRow& b) {
  const auto words = [](const OptionRow& row) {
    return std::vector<std::string>(row.info.choices.begin(), row.info.choices.end());
  };
  const auto text = [](const char* c) { return std::string(c ? c : "\n"); };
  return a.section == b.section && a.name == b.name && a.type == b.type &&
         a.default_text == b.default_text && text(a.info.meaning) == text(b.info.meaning) &&
         text(a.info.unit) == text(b.info.unit) && a.info.kind == b.info.kind &&
         a.info.min == b.info.min && a.info.max == b.info.max && words(a) == words(b) &&
         text(a.info.null_word) == text(b.info.null_word) && a.info.required == b.info.required &&
         a.info.identity == b.info.identity;
}

// An optional without a null word is null where it is absent.
OptionInfo with_null(OptionInfo info) {
  if (!info.null_word) info.null_word = "null";
  return info;
}

}  // namespace

std::string OptionRow::type_text() const {
  std::vector<std::string> words;
  const bool is_closed = !info.choices.empty() && type != OptionType::kSpan;
  if (is_closed) words.assign(info.choices.begin(), info.choices.end());
  if (!is_closed || info.kind == OptionKind::kPath) words.push_back(bare_type(*this));
  if (is_closed && type == OptionType::kTexts) words = {"list of " + one_of(words)};
  const bool may_be_null = info.null_word != nullptr;
  if (may_be_null) words.emplace_back(info.null_word);
  return one_of(words);
}

std::string OptionRow::range_text() const {
  const auto text = [&](double value) { return bound_text(value, info.kind); };
  const bool has_min = std::isfinite(info.min);
  const bool has_max = std::isfinite(info.max);
  if (has_min && has_max) return text(info.min) + " to " + text(info.max);
  if (has_min) return ">= " + text(info.min);
  return has_max ? "<= " + text(info.max) : "";
}

std::string OptionRow::meaning_text() const {
  std::string text = info.meaning;
  if (!range_text().empty()) text += " (" + range_text() + ')';
  if (!component.empty()) text += " [" + component + ']';
  return text;
}

void OptionTable::begin(const std::string& section, const std::string& component) {
  component_ = component;
  path_ = {section};
}

void OptionTable::add(const char* name, OptionType type, const OptionInfo& info,
                      const ConfigNode& value) {
  OptionRow row{.section = path_.back(),
                .name = name,
                .type = type,
                .info = info,
                .default_text = info.required       ? "required"
                                : info.default_text ? info.default_text
                                                    : to_flow(value),
                .component = component_};
  for (OptionRow& known : rows_) {
    if (!same_row(known, row)) continue;
    // One component may show a row several times, one after another: a part of each kind.
    const bool listed = (", " + known.component).ends_with(", " + component_);
    if (component_.empty()) {
      known.component.clear();
    } else if (!known.component.empty() && !listed) {
      known.component += ", " + component_;
    }
    return;
  }
  rows_.push_back(std::move(row));
}

void OptionTable::option(const char* name, bool& value, const OptionInfo& info) {
  add(name, OptionType::kBool, info, to_node(value, info));
}
void OptionTable::option(const char* name, std::int64_t& value, const OptionInfo& info) {
  add(name, OptionType::kInteger, info, to_node(value, info));
}
void OptionTable::option(const char* name, double& value, const OptionInfo& info) {
  add(name, OptionType::kNumber, info, to_node(value, info));
}
void OptionTable::option(const char* name, std::string& value, const OptionInfo& info) {
  add(name, OptionType::kText, info, to_node(value, info));
}
void OptionTable::option(const char* name, std::vector<double>& value, const OptionInfo& info) {
  add(name, OptionType::kNumbers, info, to_node(value, info));
}
void OptionTable::option(const char* name, std::vector<std::int64_t>& value,
                         const OptionInfo& info) {
  add(name, OptionType::kIntegers, info, to_node(value, info));
}
void OptionTable::option(const char* name, std::vector<std::string>& value,
                         const OptionInfo& info) {
  add(name, OptionType::kTexts, info, to_node(value, info));
}
void OptionTable::option(const char* name, Span& value, const OptionInfo& info) {
  add(name, OptionType::kSpan, info, to_node(value, info));
}
void OptionTable::option(const char* name, std::optional<std::int64_t>& value,
                         const OptionInfo& info) {
  add(name, OptionType::kInteger, with_null(info), to_node(value, info));
}
void OptionTable::option(const char* name, std::optional<double>& value, const OptionInfo& info) {
  add(name, OptionType::kNumber, with_null(info), to_node(value, info));
}
void OptionTable::option(const char* name, std::optional<std::string>& value,
                         const OptionInfo& info) {
  add(name, OptionType::kText, with_null(info), to_node(value, info));
}
void OptionTable::option(const char* name, std::optional<Span>& value, const OptionInfo& info) {
  add(name, OptionType::kSpan, with_null(info), to_node(value, info));
}
void OptionTable::option(const char* name, std::map<std::string, double>& value,
                         const OptionInfo& info) {
  add(name, OptionType::kNumberMap, info, to_node(value, info));
}
void OptionTable::option(const char* name, std::map<std::string, std::string>& value,
                         const OptionInfo& info) {
  add(name, OptionType::kTextMap, info, to_node(value, info));
}

bool OptionTable::enter_section(const char* name) {
  path_.push_back(path_.back().empty() ? name : path_.back() + '.' + name);
  return true;
}

bool OptionTable::enter_optional_section(const char* name, bool present, const OptionInfo& info) {
  add(name, OptionType::kSection, with_null(info),
      present ? ConfigNode::map() : ConfigNode::plain(info.null_word ? info.null_word : "null"));
  return enter_section(name);
}

void OptionTable::leave_section() { path_.pop_back(); }

std::optional<std::size_t> OptionTable::enter_list(const char* name, std::size_t,
                                                   const OptionInfo& info) {
  add(name, OptionType::kMaps, info,
      info.null_word ? ConfigNode::plain(info.null_word) : ConfigNode::list());
  enter_section(name);
  path_.back() += "[]";
  return 0;  // the example item has the rows
}

void OptionTable::enter_item(std::size_t) {}
void OptionTable::leave_item() {}
void OptionTable::leave_list() { path_.pop_back(); }

std::string options_text(const std::vector<OptionRow>& rows, const std::string& prefix) {
  constexpr std::size_t kColumns = 5;
  std::vector<std::array<std::string, kColumns>> lines = {
      {"OPTION", "TYPE", "DEFAULT", "UNIT", "MEANING (! = identity: kept on resume)"}};
  for (const OptionRow& row : rows) {
    if (!row.key().starts_with(prefix)) continue;
    lines.push_back({row.key() + (row.info.identity ? " !" : ""), row.type_text(), row.default_text,
                     row.info.unit, row.meaning_text()});
  }
  std::array<std::size_t, kColumns> widths{};
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i + 1 < kColumns; ++i) {
      text += line[i] + std::string(widths[i] - line[i].size() + 2, ' ');
    }
    text += line[kColumns - 1] + '\n';
  }
  return text;
}

std::string options_markdown(const std::vector<OptionRow>& rows) {
  const auto cell = [](const std::string& text) {
    std::string escaped;
    for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
    return escaped;
  };
  std::string page =
      "# Options\n\nGenerated from the option rows of the program; `pretrain config --options` "
      "prints the same.\n`!` = identity: a resume with another value is refused. In brackets at "
      "the end: the components that read the option.\n";
  std::vector<std::string> sections;
  const auto top = [](const OptionRow& row) {
    const std::string key = row.key();
    return row.section.empty() ? std::string() : key.substr(0, key.find_first_of(".["));
  };
  for (const OptionRow& row : rows) {
    if (std::find(sections.begin(), sections.end(), top(row)) == sections.end()) {
      sections.push_back(top(row));
    }
  }
  for (const std::string& section : sections) {
    page += "\n## " + (section.empty() ? "root" : section) +
            "\n\n| name | type | default | unit | meaning |\n|---|---|---|---|---|\n";
    for (const OptionRow& row : rows) {
      if (top(row) != section) continue;
      page += "| `" + row.key() + '`' + (row.info.identity ? " !" : "") + " | " +
              cell(row.type_text()) + " | " + cell(row.default_text) + " | " + row.info.unit +
              " | " + cell(row.meaning_text()) + " |\n";
    }
  }
  return page;
}

std::vector<std::string> dotted_keys(const std::vector<OptionRow>& rows) {
  std::set<std::string> keys;
  for (const OptionRow& row : rows) {
    if (row.section.find("[]") == std::string::npos) keys.insert(row.key());
  }
  return {keys.begin(), keys.end()};
}

namespace {

// Nothing if no identity row stands at or below `path`.
std::optional<ConfigNode> identity_of(const ConfigNode& node, const std::string& path,
                                      const std::set<std::string>& identity) {
  if (identity.contains(path)) return node;
  ConfigNode part = node.is_list() ? ConfigNode::list() : ConfigNode::map();
  for (const ConfigNode::Entry& entry : node.entries()) {
    const std::string key = path.empty() ? entry.key : path + '.' + entry.key;
    if (auto inner = identity_of(entry.node, key, identity)) part.set(entry.key, *inner);
  }
  for (const ConfigNode& item : node.items()) {
    if (auto inner = identity_of(item, path + "[]", identity)) part.append(*inner);
  }
  if (part.entries().empty() && part.items().empty()) return std::nullopt;
  return part;
}

}  // namespace

ConfigNode identity_part(const std::vector<OptionRow>& rows, const ConfigNode& resolved) {
  std::set<std::string> identity;
  for (const OptionRow& row : rows) {
    if (row.info.identity) identity.insert(row.key());
  }
  return identity_of(resolved, "", identity).value_or(ConfigNode::map());
}

}  // namespace pretrain
