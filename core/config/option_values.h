#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/config_node.h"
#include "core/config/error_list.h"
#include "core/config/option_visitor.h"
#include "core/config/span.h"

namespace pretrain {

/// The canonical node of an option's value, which ValueReader reads back to the same value.
ConfigNode to_node(bool value, const OptionInfo& info);
ConfigNode to_node(std::int64_t value, const OptionInfo& info);
ConfigNode to_node(double value, const OptionInfo& info);
ConfigNode to_node(const std::string& value, const OptionInfo& info);
ConfigNode to_node(const Span& value, const OptionInfo& info);
template <class T>
ConfigNode to_node(const std::optional<T>& value, const OptionInfo& info) {
  if (value) return to_node(*value, info);
  return ConfigNode::plain(info.null_word ? info.null_word : "null");
}
template <class T>
ConfigNode to_node(const std::vector<T>& value, const OptionInfo& info) {
  if (value.empty() && info.null_word) return ConfigNode::plain(info.null_word);
  ConfigNode node = ConfigNode::list();
  for (const T& item : value) node.append(to_node(item, info));
  return node;
}
template <class T>
ConfigNode to_node(const std::map<std::string, T>& value, const OptionInfo& info) {
  if (value.empty() && info.null_word) return ConfigNode::plain(info.null_word);
  ConfigNode node = ConfigNode::map();
  for (const auto& [key, item] : value) node.append_entry(key, {}, to_node(item, info));
  return node;
}

/// True if `node` is the word that an absent value is written as.
bool is_absent(const ConfigNode& node, const OptionInfo& info);

/// Units that a span option takes: info.choices, or all but `fraction`.
std::vector<Span::Unit> span_units(const OptionInfo& info);

/// A bound of a range as messages and tables show it: "1", "0.5", "25MiB", "60s".
std::string bound_text(double bound, OptionKind kind);
/// "a, b or c".
std::string one_of(const std::vector<std::string>& words);
/// The word nearest to `wrong` within edit distance 3 and closer than a replacement of the whole
/// word; empty: none.
std::string nearest_word(const std::string& wrong, const std::vector<std::string>& words);

/// Reads one option from its node. Each read returns false and leaves `value` alone after adding
/// "PLACE: key: expected ..., got ..." to the errors.
class ValueReader {
 public:
  ValueReader(std::string key, const OptionInfo& info, ErrorList& errors)
      : key_(std::move(key)), info_(info), errors_(errors) {}

  bool read(const ConfigNode& node, bool& value) const;
  bool read(const ConfigNode& node, std::int64_t& value) const;
  bool read(const ConfigNode& node, double& value) const;
  bool read(const ConfigNode& node, std::string& value) const;
  bool read(const ConfigNode& node, Span& value) const;
  template <class T>
  bool read(const ConfigNode& node, std::optional<T>& value) const {
    if (is_absent(node, info_)) return value.reset(), true;
    T present{};
    if (!read(node, present)) return false;
    value = present;
    return true;
  }
  template <class T>
  bool read(const ConfigNode& node, std::vector<T>& value) const;
  template <class T>
  bool read(const ConfigNode& node, std::map<std::string, T>& value) const;

 private:
  bool refuse(const ConfigNode& node, const std::string& expected, const std::string& got = "",
              const std::string& advice = "") const;
  bool refuse_fault(const ConfigNode& node, const std::string& fault) const;
  template <class T, class Parse>
  bool read_number(const ConfigNode& node, const char* type, Parse parse, T& value) const;

  std::string key_;
  const OptionInfo& info_;
  ErrorList& errors_;
};

}  // namespace pretrain
