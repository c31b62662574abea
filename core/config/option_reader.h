#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config/config_node.h"
#include "core/config/error_list.h"
#include "core/config/option_visitor.h"

namespace pretrain {

/// Options that other components of a section read, by their name inside the section
/// ("mask_prob", "moe.experts"), with the names of those components.
using OptionReaders = std::map<std::string, std::vector<std::string>>;

/// Reads one section of a configuration into options structs and, at the same time, builds the
/// section's resolved node: every option that was read with its canonical value. The value that a
/// member holds just before its option is read is the default, so an options struct may compute
/// defaults from rows above. Several structs may be read from one section, one after the other: the
/// common rows, then those of the chosen component. Faults are added to `errors` and leave the
/// default in place, so that several are seen together. Not thread-safe.
class OptionReader : public OptionVisitor {
 public:
  /// Reads `root[section]`, or the root itself if `section` is empty; an absent section has all
  /// defaults. `root` and `errors` must outlive the reader.
  OptionReader(const ConfigNode& root, const std::string& section, ErrorList& errors);
  ~OptionReader() override;

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

  /// After the last struct: adds an error for each key that nothing read. `component` names the
  /// chosen implementation in messages about options of `others`.
  void finish(const std::string& component = "", const OptionReaders& others = {});

  /// The section with every option read so far, in the order of reading.
  const ConfigNode& resolved() const;

 protected:
  bool enter_section(const char* name) override;
  bool enter_optional_section(const char* name, bool present, const OptionInfo& info) override;
  void leave_section() override;
  std::optional<std::size_t> enter_list(const char* name, std::size_t size,
                                        const OptionInfo& info) override;
  void enter_item(std::size_t index) override;
  void leave_item() override;
  void leave_list() override;

 private:
  struct Level;
  template <class T>
  void take(const char* name, T& value, const OptionInfo& info);
  Level& level() { return *stack_.back(); }
  void require(const char* name, const OptionInfo& info);
  void check_keys(const Level& level, const std::string& component, const OptionReaders& others);

  ErrorList& errors_;
  Mark root_mark_;
  std::unique_ptr<Level> root_;
  std::vector<Level*> stack_;
};

/// Adds an error for each key of `root` that is none of the `sections`.
void check_sections(const ConfigNode& root, const std::vector<std::string>& sections,
                    ErrorList& errors);

}  // namespace pretrain
