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

  /// Makes an object whose options were read before.
  using Maker = std::function<std::unique_ptr<Interface>(const Context&)>;

  template <class T>
  bool add(const std::string& name) {
    Entry entry;
    entry.describe = [](OptionVisitor& visitor) {
      typename T::Options options;
      options.visit(visitor);
    };
    entry.read = [](OptionVisitor* reader) -> Maker {
      typename T::Options options;
      if (reader != nullptr) options.visit(*reader);
      return [options](const Context& context) { return std::make_unique<T>(options, context); };
    };
    return entries_.emplace(name, std::move(entry)).second;
  }

  /// Throws kBadConfig naming the known implementations if `name` is none of them.
  std::unique_ptr<Interface> create(const std::string& name, OptionVisitor& reader,
                                    const Context& context) const {
    return find(name).read(&reader)(context);
  }
  /// The implementation with its default options.
  std::unique_ptr<Interface> create(const std::string& name, const Context& context) const {
    return find(name).read(nullptr)(context);
  }
  /// Reads the options of implementation `name` now, for an object that is made later: of a
  /// component that is built from others. Throws as create does.
  Maker read(const std::string& name, OptionVisitor& reader) const {
    return find(name).read(&reader);
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
    std::function<Maker(OptionVisitor*)> read;
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
