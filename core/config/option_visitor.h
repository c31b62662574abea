#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/span.h"

namespace pretrain {

/// How the text of a scalar is read (product grammar: counts take k M G T Ki Mi Gi, bytes take
/// B kB MB GB KiB MiB GiB, times take s m h d and mean seconds, paths are relative to their file).
enum class OptionKind { kPlain, kCount, kBytes, kTime, kPath };

/// One row of the option table: all that parser, help, schema and documentation say of an option.
struct OptionInfo {
  const char* meaning;
  const char* unit = "";
  OptionKind kind = OptionKind::kPlain;
  double min = -std::numeric_limits<double>::infinity();  ///< inclusive
  double max = std::numeric_limits<double>::infinity();   ///< inclusive
  std::vector<const char*> choices = {};                  ///< allowed texts; empty: any
  const char* default_text = nullptr;  ///< shown where the default is computed from other options
  const char* null_word =
      nullptr;  ///< word that an empty std::optional is written as ("auto", "null")
  bool required = false;
  bool identity = false;  ///< a resume with another value is refused
};

/// Walks over the options of a component. A component declares each option once, in
/// `void visit(OptionVisitor&)` of its options struct; reading, printing, documentation and schema
/// are visitors. Members hold the default before the visit and the value after a reading visit.
/// Not thread-safe.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;

  virtual void option(const char* name, bool& value, const OptionInfo& info) = 0;
  virtual void option(const char* name, std::int64_t& value, const OptionInfo& info) = 0;
  virtual void option(const char* name, double& value, const OptionInfo& info) = 0;
  virtual void option(const char* name, std::string& value, const OptionInfo& info) = 0;
  virtual void option(const char* name, std::vector<double>& value, const OptionInfo& info) = 0;
  virtual void option(const char* name, std::vector<std::int64_t>& value,
                      const OptionInfo& info) = 0;
  virtual void option(const char* name, std::vector<std::string>& value,
                      const OptionInfo& info) = 0;
  virtual void option(const char* name, Span& value, const OptionInfo& info) = 0;
  virtual void option(const char* name, std::optional<std::int64_t>& value,
                      const OptionInfo& info) = 0;
  virtual void option(const char* name, std::optional<double>& value, const OptionInfo& info) = 0;
  virtual void option(const char* name, std::optional<std::string>& value,
                      const OptionInfo& info) = 0;
  virtual void option(const char* name, std::optional<Span>& value, const OptionInfo& info) = 0;
  /// A map whose keys the user names, e.g. `weights: {wiki: 3, books: 1}`.
  virtual void option(const char* name, std::map<std::string, double>& value,
                      const OptionInfo& info) = 0;
  virtual void option(const char* name, std::map<std::string, std::string>& value,
                      const OptionInfo& info) = 0;

  /// A nested map `name: {...}`; Options has visit(OptionVisitor&).
  template <class Options>
  void section(const char* name, Options& options) {
    if (!enter_section(name)) return;
    options.visit(*this);
    leave_section();
  }
  /// A nested map that may be absent: `name: {...}` or the null word of `info`.
  template <class Options>
  void section(const char* name, std::optional<Options>& options, const OptionInfo& info) {
    if (!enter_optional_section(name, options.has_value(), info)) return options.reset();
    Options example{};
    if (!options && !describes()) options.emplace();
    (options ? *options : example).visit(*this);
    leave_section();
  }
  /// A list of maps `name: [{...}, ...]`. Items that are read start from Item{}, whatever the
  /// default list holds.
  template <class Item>
  void list(const char* name, std::vector<Item>& items, const OptionInfo& info) {
    const std::optional<std::size_t> given = enter_list(name, items.size(), info);
    if (given) items.assign(*given, Item{});
    for (std::size_t i = 0; i < items.size(); ++i) {
      enter_item(i);
      items[i].visit(*this);
      leave_item();
    }
    // Visitors that describe rather than read need to see an item's rows although there is none.
    if (describes()) {
      Item example{};
      enter_item(0);
      example.visit(*this);
      leave_item();
    }
    leave_list();
  }

 protected:
  virtual bool enter_section(const char* name) = 0;  ///< false: skip it
  /// False: the section is absent.
  virtual bool enter_optional_section(const char* name, bool present, const OptionInfo& info) = 0;
  virtual void leave_section() = 0;
  /// Number of items that are given, or nothing to keep the default list of `size` items.
  virtual std::optional<std::size_t> enter_list(const char* name, std::size_t size,
                                                const OptionInfo& info) = 0;
  virtual void enter_item(std::size_t index) = 0;
  virtual void leave_item() = 0;
  virtual void leave_list() = 0;
  /// True for visitors that show every row once and leave the values alone.
  virtual bool describes() const { return false; }
};

}  // namespace pretrain
