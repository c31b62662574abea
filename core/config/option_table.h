#pragma once

#include <string>
#include <vector>

#include "core/config/config_node.h"
#include "core/config/option_visitor.h"

namespace pretrain {

/// What an option's value is, apart from how its text is read (OptionKind).
enum class OptionType {
  kBool,
  kInteger,
  kNumber,
  kText,
  kSpan,
  kNumbers,
  kIntegers,
  kTexts,
  kNumberMap,
  kTextMap,
  kMaps,     ///< a list of maps, whose rows follow with `[]` in their section
  kSection,  ///< a section that may be absent, whose rows follow
};

/// One row of the option table.
struct OptionRow {
  std::string section;  ///< "model", "model.moe", "data.sources[]"
  std::string name;
  OptionType type;
  OptionInfo info;
  std::string default_text;  ///< "required", a computed default in words, or the value
  std::string component;     ///< the components that read it, ", " between; empty: all

  std::string key() const { return section.empty() ? name : section + '.' + name; }
  std::string type_text() const;     ///< "int or auto", "packed or documents", "list of numbers"
  std::string range_text() const;    ///< ">= 1", "0 to 1", or nothing
  std::string meaning_text() const;  ///< the meaning with range and components
};

/// The visitor that collects rows. Between `begin` calls it is shown the options struct of one
/// section or component. Components with equal rows share one. Not thread-safe.
class OptionTable : public OptionVisitor {
 public:
  /// The rows that follow belong to `section` and, if not empty, to `component` alone.
  void begin(const std::string& section, const std::string& component = "");
  const std::vector<OptionRow>& rows() const { return rows_; }

  void option(const char* name, bool& value, const OptionInfo& info) override;
  void option(const char* name, std::int64_t& value, const OptionInfo& info) override;
  void option(const char* name, double& value, const OptionInfo& info) override;
  void option(const char* name, std::string& value, const OptionInfo& info) override;
  void option(const char* name, std::vector<double>& value, const OptionInfo& info) override;
  void option(const char* name, std::vector<std::int64_t>& value, const OptionInfo& info) override;
  void option(const char* name, std::vector<std::string>& value, const OptionInfo& info) override;
  void option(const char* name, Span& value, const OptionInfo& info) override;
  void option(const char* name, std::optional<std::int64_t>& value,
              const OptionInfo& info) override;
  void option(const char* name, std::optional<double>& value, const OptionInfo& info) override;
  void option(const char* name, std::optional<std::string>& value, const OptionInfo& info) override;
  void option(const char* name, std::optional<Span>& value, const OptionInfo& info) override;
  void option(const char* name, std::map<std::string, double>& value,
              const OptionInfo& info) override;
  void option(const char* name, std::map<std::string, std::string>& value,
              const OptionInfo& info) override;

 protected:
  bool enter_section(const char* name) override;
  bool enter_optional_section(const char* name, bool present, const OptionInfo& info) override;
  void leave_section() override;
  std::optional<std::size_t> enter_list(const char* name, std::size_t size,
                                        const OptionInfo& info) override;
  void enter_item(std::size_t index) override;
  void leave_item() override;
  void leave_list() override;
  bool describes() const override { return true; }

 private:
  void add(const char* name, OptionType type, const OptionInfo& info, const ConfigNode& value);

  std::string component_;
  std::vector<std::string> path_;
  std::vector<OptionRow> rows_;
};

/// The table of `config --options [PREFIX]`: the rows whose key starts with `prefix`.
std::string options_text(const std::vector<OptionRow>& rows, const std::string& prefix = "");
/// The page configs/options.md.
std::string options_markdown(const std::vector<OptionRow>& rows);
/// JSON Schema draft-07 of configuration files. A key that several components read in different
/// ways takes what any of them takes.
std::string options_schema(const std::vector<OptionRow>& rows);
/// All dotted keys that can be overridden, sorted, each once; rows inside lists are left out.
std::vector<std::string> dotted_keys(const std::vector<OptionRow>& rows);
/// The part of a resolved configuration that makes a run what it is: its identity rows. The digest
/// of to_yaml of it is the identity digest.
ConfigNode identity_part(const std::vector<OptionRow>& rows, const ConfigNode& resolved);

}  // namespace pretrain
