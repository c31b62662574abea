#include "launch/config/run_config.h"

#include <algorithm>
#include <functional>

#include "core/base/digest.h"
#include "core/config/option_reader.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"

namespace pretrain {
namespace {

// Every section, in the order in which it is printed. A section that a component reads too says
// how to show the component's options to a visitor.
template <class Visit, class VisitComponent>
void for_each_section(RunConfig& config, Visit&& plain, VisitComponent&& with_component) {
  plain("run", config.run);
  plain("data", config.data);
  plain("tokenizer", config.tokenizer);
  with_component("model", config.model, models());
  with_component("objective", config.objective, objectives());
  with_component("optimizer", config.optimizer, optimizers());
  plain("schedule", config.schedule);
  plain("train", config.train);
  plain("parallel", config.parallel);
  plain("precision", config.precision);
  plain("checkpoint", config.checkpoint);
  plain("eval", config.eval);
  plain("logging", config.logging);
  plain("reliability", config.reliability);
  plain("debug", config.debug);
}

// Which components read which option of a section, for messages.
template <class Components>
OptionReaders option_readers(const std::string& section, const Components& components) {
  OptionReaders readers;
  for (const std::string& name : components.names()) {
    OptionTable table;
    table.begin(section, name);
    components.describe(name, table);
    for (const OptionRow& row : table.rows()) {
      readers[row.key().substr(section.size() + 1)].push_back(name);
    }
  }
  return readers;
}

}  // namespace

RunConfig read_config(const ConfigNode& root, const std::string& name) {
  RunConfig config;
  config.run.name = name;
  config.given = root;
  config.resolved = ConfigNode::map();
  ErrorList errors;
  std::vector<std::string> sections;
  const auto plain = [&](const char* section, auto& options) {
    sections.push_back(section);
    OptionReader reader(root, section, errors);
    options.visit(reader);
    reader.finish();
    config.resolved.set(section, reader.resolved());
  };
  const auto with_component = [&](const char* section, auto& options, const auto& components) {
    sections.push_back(section);
    OptionReader reader(root, section, errors);
    options.visit(reader);
    try {
      components.describe(options.name, reader);
      reader.finish(options.name, option_readers(section, components));
    } catch (const Error& error) {  // no such component: its options cannot be judged
      const ConfigNode* given = root.find(section);
      const ConfigNode* chosen = given != nullptr ? given->find("name") : nullptr;
      chosen != nullptr ? errors.add(chosen->mark(), error.what()) : errors.add(error.what());
    }
    config.resolved.set(section, reader.resolved());
  };
  for_each_section(config, plain, with_component);
  check_sections(root, sections, errors);
  errors.throw_if_any();
  return config;
}

std::string RunConfig::place(std::string_view key) const {
  const ConfigNode* node = &given;
  while (node != nullptr && !key.empty()) {
    const std::size_t dot = key.find('.');
    node = node->find(key.substr(0, dot));
    key = dot == std::string_view::npos ? "" : key.substr(dot + 1);
  }
  return node == nullptr ? "" : to_string(node->mark()) + ": ";
}

void RunConfig::settle(std::string_view section, std::string_view key, const std::string& value) {
  for (ConfigNode::Entry& entry : resolved.entries()) {
    if (entry.key == section) entry.node.set(key, ConfigNode::plain(value));
  }
}

std::vector<OptionRow> all_option_rows() {
  RunConfig config;
  OptionTable table;
  const auto plain = [&](const char* section, auto& options) {
    table.begin(section);
    options.visit(table);
  };
  const auto with_component = [&](const char* section, auto& options, const auto& components) {
    plain(section, options);
    for (const std::string& name : components.names()) {
      table.begin(section, name);
      components.describe(name, table);
    }
  };
  for_each_section(config, plain, with_component);
  return table.rows();
}

std::string config_sha256(const RunConfig& config) { return sha256_hex(config.text()); }

std::string identity_sha256(const RunConfig& config) {
  return sha256_hex(to_yaml(identity_part(all_option_rows(), config.resolved)));
}

namespace {

void compare(const ConfigNode* before, const ConfigNode* now, const std::string& key,
             const std::vector<std::string>& allowed, std::vector<OptionChange>& changes) {
  if (before != nullptr && now != nullptr && *before == *now) return;
  if (before != nullptr && now != nullptr && before->is_map() && now->is_map()) {
    const std::string prefix = key.empty() ? "" : key + ".";
    for (const auto& entry : before->entries()) {
      compare(&entry.node, now->find(entry.key), prefix + entry.key, allowed, changes);
    }
    for (const auto& entry : now->entries()) {
      if (before->find(entry.key) == nullptr) {
        compare(nullptr, &entry.node, prefix + entry.key, allowed, changes);
      }
    }
    return;
  }
  if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) return;
  const auto text = [](const ConfigNode* node) {
    return node == nullptr ? std::string("not set") : to_flow(*node);
  };
  changes.push_back({key, text(before), text(now)});
}

}  // namespace

std::vector<OptionChange> option_changes(const ConfigNode& before, const ConfigNode& now) {
  std::vector<OptionChange> changes;
  compare(&before, &now, "", {}, changes);
  return changes;
}

std::vector<OptionChange> identity_changes(const ConfigNode& before, const ConfigNode& now,
                                           const std::vector<std::string>& allowed) {
  const std::vector<OptionRow> rows = all_option_rows();
  const ConfigNode was = identity_part(rows, before);
  const ConfigNode is = identity_part(rows, now);
  std::vector<OptionChange> changes;
  compare(&was, &is, "", allowed, changes);
  return changes;
}

}  // namespace pretrain
