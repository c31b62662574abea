#include "core/config/option_reader.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/config/option_values.h"
#include "core/config/usual_names.h"

namespace pretrain {

/// A map, or a list of maps, of the section: what is given for it and what was made of it.
struct OptionReader::Level {
  std::string prefix;                   // "model.moe.", or "data.sources" of a list
  const ConfigNode* given;              // nullptr: nothing is given
  bool is_refused = false;              // something else than a map is given: said once
  std::vector<std::string> names = {};  // options read here, each once
  ConfigNode resolved = ConfigNode::map();
  std::map<std::string, std::unique_ptr<Level>> sections = {};  // and lists
  std::vector<std::unique_ptr<Level>> items = {};               // of a list

  const ConfigNode* find(const std::string& name) const {
    return given ? given->find(name) : nullptr;
  }
  void add_name(const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
};

namespace {

void refuse_unknown(const ConfigNode::Entry& entry, const std::string& prefix,
                    const std::vector<std::string>& names, ErrorList& errors) {
  const std::string usual = usual_name(prefix + entry.key);
  const std::string near = nearest_word(entry.key, names);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  errors.add(entry.key_mark, prefix + shortened(entry.key) + " is not an option. " +
                                 (!usual.empty()  ? "Did you mean " + usual + "?"
                                  : !near.empty() ? "Did you mean " + prefix + near + "?"
                                  : known.empty() ? "Nothing is read here: remove it"
                                                  : "Options here: " + known));
}

// Components that read `name` or, if it is a section, anything in it; in order, each once.
std::vector<std::string> components_that_read(const std::string& name,
                                              const OptionReaders& others) {
  std::vector<std::string> components;
  for (const auto& [option, readers] : others) {
    if (option != name && !option.starts_with(name + '.')) continue;
    components.insert(components.end(), readers.begin(), readers.end());
  }
  std::sort(components.begin(), components.end());
  components.erase(std::unique(components.begin(), components.end()), components.end());
  return components;
}

}  // namespace

OptionReader::OptionReader(const ConfigNode& root, const std::string& section, ErrorList& errors)
    : errors_(errors), root_mark_(root.mark()) {
  const ConfigNode* given = section.empty() ? &root : root.find(section);
  const bool is_refused = given && !given->is_map();
  if (is_refused) {
    errors_.add(given->mark(), section + ": expected a map of options, got " + shown(*given));
    given = nullptr;
  }
  root_.reset(new Level{section.empty() ? "" : section + '.', given, is_refused});
  stack_.push_back(root_.get());
}

OptionReader::~OptionReader() = default;

const ConfigNode& OptionReader::resolved() const { return root_->resolved; }

void OptionReader::require(const char* name, const OptionInfo& info) {
  if (!info.required || level().is_refused) return;
  const Mark& place = level().given ? level().given->mark() : root_mark_;
  errors_.add(place, level().prefix + name + " is required and not given. Add it: " + info.meaning);
}

template <class T>
void OptionReader::take(const char* name, T& value, const OptionInfo& info) {
  level().add_name(name);
  if (const ConfigNode* given = level().find(name)) {
    ValueReader(level().prefix + name, info, errors_).read(*given, value);
  } else {
    require(name, info);
  }
  level().resolved.set(name, to_node(value, info));
}

void OptionReader::option(const char* name, bool& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::int64_t& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, double& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::string& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::vector<double>& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::vector<std::int64_t>& value,
                          const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::vector<std::string>& value,
                          const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, Span& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::optional<std::int64_t>& value,
                          const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::optional<double>& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::optional<std::string>& value,
                          const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::optional<Span>& value, const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::map<std::string, double>& value,
                          const OptionInfo& info) {
  take(name, value, info);
}
void OptionReader::option(const char* name, std::map<std::string, std::string>& value,
                          const OptionInfo& info) {
  take(name, value, info);
}

bool OptionReader::enter_section(const char* name) {
  level().add_name(name);
  std::unique_ptr<Level>& section = level().sections[name];
  if (!section) {
    const ConfigNode* given = level().find(name);
    const bool is_map = given && given->is_map();
    const std::string key = level().prefix + name;
    if (given && !is_map) {
      errors_.add(given->mark(), key + ": expected a map of options, got " + shown(*given));
    }
    const bool is_refused = level().is_refused || (given && !is_map);
    section.reset(new Level{key + '.', is_map ? given : nullptr, is_refused});
  }
  stack_.push_back(section.get());
  return true;
}

bool OptionReader::enter_optional_section(const char* name, bool present, const OptionInfo& info) {
  const ConfigNode* given = level().find(name);
  if (given ? !is_absent(*given, info) : present) return enter_section(name);
  level().add_name(name);
  if (!given) require(name, info);
  level().resolved.set(name, ConfigNode::plain(info.null_word ? info.null_word : "null"));
  return false;
}

void OptionReader::leave_section() {
  const Level& section = level();
  stack_.pop_back();
  const std::string name = section.prefix.substr(level().prefix.size());
  level().resolved.set(name.substr(0, name.size() - 1), section.resolved);
}

std::optional<std::size_t> OptionReader::enter_list(const char* name, std::size_t,
                                                    const OptionInfo& info) {
  level().add_name(name);
  const ConfigNode* given = level().find(name);
  if (!given) require(name, info);
  if (given && !given->is_list()) {
    if (!info.null_word || !is_absent(*given, info)) {
      errors_.add(
          given->mark(),
          level().prefix + name + ": expected a list of maps such as [{..}], got " + shown(*given));
    }
    given = nullptr;
  }
  // A list that is read twice (by two structs of a section) is read afresh.
  std::unique_ptr<Level>& list = level().sections[name];
  list.reset(new Level{level().prefix + name, given});
  list->resolved = ConfigNode::list();
  stack_.push_back(list.get());
  if (!given) return std::nullopt;
  return given->items().size();
}

void OptionReader::enter_item(std::size_t index) {
  const std::string prefix = level().prefix + '[' + std::to_string(index) + ']';
  const ConfigNode* given = level().given ? &level().given->items()[index] : nullptr;
  const bool is_refused = given && !given->is_map();
  if (is_refused) {
    errors_.add(given->mark(), prefix + ": expected a map of options, got " + shown(*given));
    given = nullptr;
  }
  level().items.emplace_back(new Level{prefix + '.', given, is_refused});
  stack_.push_back(level().items.back().get());
}

void OptionReader::leave_item() {
  const Level& item = level();
  stack_.pop_back();
  level().resolved.append(item.resolved);
}

void OptionReader::leave_list() {
  const Level& list = level();
  stack_.pop_back();
  level().resolved.set(list.prefix.substr(level().prefix.size()), list.resolved);
}

void OptionReader::check_keys(const Level& level, const std::string& component,
                              const OptionReaders& others) {
  if (level.given && level.given->is_map()) {
    for (const ConfigNode::Entry& entry : level.given->entries()) {
      if (errors_.full()) return;
      if (std::find(level.names.begin(), level.names.end(), entry.key) != level.names.end()) {
        continue;
      }
      const std::string inside = level.prefix.substr(root_->prefix.size()) + entry.key;
      const std::vector<std::string> readers = components_that_read(inside, others);
      if (readers.empty()) {
        refuse_unknown(entry, level.prefix, level.names, errors_);
        continue;
      }
      std::string names;
      for (const std::string& reader : readers) names += (names.empty() ? "" : ", ") + reader;
      errors_.add(entry.key_mark, level.prefix + shortened(entry.key) + " is not read by " +
                                      component + " (read by " + names + "). Remove it");
    }
  }
  for (const auto& [name, section] : level.sections) check_keys(*section, component, others);
  for (const auto& item : level.items) check_keys(*item, component, others);
}

void OptionReader::finish(const std::string& component, const OptionReaders& others) {
  check_keys(*root_, component, others);
}

void check_sections(const ConfigNode& root, const std::vector<std::string>& sections,
                    ErrorList& errors) {
  for (const ConfigNode::Entry& entry : root.entries()) {
    if (errors.full()) return;
    if (std::find(sections.begin(), sections.end(), entry.key) == sections.end()) {
      refuse_unknown(entry, "", sections, errors);
    }
  }
}

}  // namespace pretrain
