#include "core/config/interpolation.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/environment_variable.h"
#include "core/config/yaml/yaml_surface.h"

namespace pretrain {

namespace {

constexpr std::size_t kMaxChain = 32;

class Interpolator {
 public:
  Interpolator(ConfigNode& root, std::map<std::string, std::string>& environment, ErrorList& errors)
      : root_(root), environment_(environment), errors_(errors) {}

  void walk(ConfigNode& node, const std::string& path) {
    if (errors_.full()) return;
    if (node.is_scalar()) return resolve(node, path);
    for (ConfigNode::Entry& entry : node.entries()) {
      walk(entry.node, path.empty() ? entry.key : path + '.' + entry.key);
    }
    for (std::size_t i = 0; i < node.items().size(); ++i) {
      walk(node.items()[i], path + '[' + std::to_string(i) + ']');
    }
  }

 private:
  struct Active {
    const ConfigNode* node;
    std::string path;
  };

  void refuse(const ConfigNode& node, const std::string& path, const std::string& message) {
    errors_.add(node.mark(), path + ": " + message);
  }

  // Replaces the scalar in place. After a fault the text stays as it is.
  void resolve(ConfigNode& node, const std::string& path) {
    if (node.text().find("${") == std::string::npos || done_.contains(&node)) return;
    if (std::any_of(active_.begin(), active_.end(),
                    [&](const Active& a) { return a.node == &node; })) {
      std::string chain;
      for (const Active& a : active_) chain += a.path + " -> ";
      refuse(node, path, "an interpolation leads back to itself (" + chain + path + ")");
      failed_.insert(&node);
      return;
    }
    if (active_.size() >= kMaxChain) {
      refuse(node, path, concat("more than ", kMaxChain, " interpolations lead to each other"));
      failed_.insert(&node);
      return;
    }
    active_.push_back({&node, path});
    std::optional<ConfigNode> result = replaced(node, path);
    active_.pop_back();
    done_.insert(&node);
    if (result) {
      node = std::move(*result);
    } else {
      failed_.insert(&node);
    }
  }

  std::optional<ConfigNode> replaced(const ConfigNode& node, const std::string& path) {
    const std::string_view text = node.text();
    std::string out;
    bool is_whole = false;
    std::size_t i = 0;
    while (i < text.size()) {
      const std::size_t dollar = std::min(text.find('$', i), text.size());
      out += text.substr(i, dollar - i);
      const std::string_view rest = text.substr(dollar);
      if (rest.starts_with("$${")) {
        out += "${";
        i = dollar + 3;
      } else if (rest.starts_with("${")) {
        const std::size_t end = rest.find('}');
        if (end == std::string_view::npos) {
          refuse(node, path, "${ without }. Write $${ for the characters themselves");
          return std::nullopt;
        }
        is_whole = dollar == 0 && end + 1 == text.size();
        const auto value = value_of(std::string(rest.substr(2, end - 2)), is_whole, node, path);
        if (!value || !within_budget(value->size(), node, path)) return std::nullopt;
        out += *value;
        i = dollar + end + 1;
      } else {
        out += rest.substr(0, 1);
        i = dollar + 1;
      }
    }
    return is_whole ? ConfigNode::plain(std::move(out), node.mark())
                    : ConfigNode::scalar(std::move(out), node.quoted(), node.mark());
  }

  std::optional<std::string> value_of(const std::string& name, bool is_whole,
                                      const ConfigNode& node, const std::string& path) {
    if (name.find("${") != std::string::npos) {
      refuse(node, path, "an interpolation inside an interpolation. Use a second option");
      return std::nullopt;
    }
    if (name.starts_with("env:")) return environment_value(name.substr(4), node, path);
    ConfigNode* target = find(name);
    if (!target) {
      refuse(node, path,
             "${" + shortened(name) + "} is not given in this configuration. Give " +
                 shortened(name) + " or correct the name");
      return std::nullopt;
    }
    if (target->is_scalar()) resolve(*target, name);
    // The fault of the target is already reported.
    if (failed_.contains(target)) return std::nullopt;
    if (target->is_scalar()) return target->text();
    if (target->is_null() && is_whole) return "";
    refuse(node, path, "${" + shortened(name) + "} is " + shown(*target) + ", expected a scalar");
    return std::nullopt;
  }

  std::optional<std::string> environment_value(const std::string& name_and_default,
                                               const ConfigNode& node, const std::string& path) {
    const std::size_t comma = name_and_default.find(',');
    const std::string name = name_and_default.substr(0, comma);
    constexpr std::string_view kNameBytes =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    if (name.empty() || name.find_first_not_of(kNameBytes) != std::string::npos) {
      refuse(node, path, "${env:" + shortened(name) + "} names no environment variable");
      return std::nullopt;
    }
    if (is_secret_variable(name)) {
      refuse(node, path,
             "${env:" + shortened(name) +
                 "} looks like a secret, which config.resolved.yaml would show. Rename it if not");
      return std::nullopt;
    }
    const char* value = std::getenv(name.c_str());
    if (!value && comma != std::string::npos) return name_and_default.substr(comma + 1);
    if (!value) {
      refuse(node, path,
             "environment variable " + shortened(name) +
                 " is not set. Set it, or write ${env:" + shortened(name) + ",default}");
      return std::nullopt;
    }
    if (first_invalid_utf8(value) != std::string_view::npos) {
      refuse(node, path, "environment variable " + shortened(name) + " is not UTF-8");
      return std::nullopt;
    }
    environment_[name] = value;
    return value;
  }

  bool within_budget(std::size_t bytes, const ConfigNode& node, const std::string& path) {
    total_ += bytes;
    if (total_ <= kMaxConfigBytes) return true;
    refuse(node, path, "interpolations grow above 1 MiB");
    return false;
  }

  ConfigNode* find(const std::string& path) {
    ConfigNode* node = &root_;
    std::size_t begin = 0;
    while (node && begin <= path.size()) {
      const std::size_t end = std::min(path.find('.', begin), path.size());
      node = child(*node, path.substr(begin, end - begin));
      begin = end + 1;
    }
    return node;
  }

  // Maps are indexed once, so that many references into a large map stay cheap.
  ConfigNode* child(ConfigNode& map, const std::string& key) {
    auto [index, is_new] = indices_.try_emplace(&map);
    if (is_new) {
      for (ConfigNode::Entry& entry : map.entries()) index->second[entry.key] = &entry.node;
    }
    const auto found = index->second.find(key);
    return found == index->second.end() ? nullptr : found->second;
  }

  ConfigNode& root_;
  std::map<std::string, std::string>& environment_;
  ErrorList& errors_;
  std::vector<Active> active_;
  std::unordered_set<const ConfigNode*> done_;
  std::unordered_set<const ConfigNode*> failed_;
  std::unordered_map<const ConfigNode*, std::unordered_map<std::string_view, ConfigNode*>> indices_;
  std::size_t total_ = 0;
};

}  // namespace

void interpolate(ConfigNode& root, std::map<std::string, std::string>& environment,
                 ErrorList& errors) {
  Interpolator(root, environment, errors).walk(root, "");
}

}  // namespace pretrain
