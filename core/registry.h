#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/option_visitor.h"

namespace pretrain {

/// The implementations of one interface by name. Objects are created from their own options, which
/// the visitor reads from the config section, and from the Context all of them share.
///
/// An implementation T has a nested `struct Options { void visit(OptionVisitor&); }` and a
/// constructor T(const Options&, const Context&). One line in its file registers it:
///   const bool kRegistered = objectives().add<CausalLm>("causal_lm");
/// Filled before main by static initialisers, read-only afterwards.
template <class Interface, class Context>
class Registry {
 public:
  /// `option` is the config option that chooses the implementation, e.g. "objective.name".
  explicit Registry(std::string option) : option_(std::move(option)) {}

  template <class T>
  bool add(const std::string& name) {
    Entry entry;
    entry.describe = [](OptionVisitor& visitor) {
      typename T::Options options;
      options.visit(visitor);
    };
    entry.create = [](OptionVisitor* reader, const Context& context) {
      typename T::Options options;
      if (reader != nullptr) options.visit(*reader);
      return std::unique_ptr<Interface>(std::make_unique<T>(options, context));
    };
    return entries_.emplace(name, std::move(entry)).second;
  }

  /// Throws kBadConfig naming the known implementations if `name` is none of them.
  std::unique_ptr<Interface> create(const std::string& name, OptionVisitor& reader,
                                    const Context& context) const {
    return find(name).create(&reader, context);
  }
  /// The implementation with its default options.
  std::unique_ptr<Interface> create(const std::string& name, const Context& context) const {
    return find(name).create(nullptr, context);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
  }
  /// Shows the options of implementation `name` to `visitor`. Throws as create does.
  void describe(const std::string& name, OptionVisitor& visitor) const {
    find(name).describe(visitor);
  }

 private:
  struct Entry {
    std::function<void(OptionVisitor&)> describe;
    std::function<std::unique_ptr<Interface>(OptionVisitor*, const Context&)> create;
  };
  const Entry& find(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second;
    std::string known;
    for (const auto& [key, entry] : entries_) known += (known.empty() ? "" : ", ") + key;
    fail(ExitCode::kBadConfig, option_, ": ", name, " is not known. Known: ", known);
  }
  std::string option_;
  std::map<std::string, Entry> entries_;
};

}  // namespace pretrain
