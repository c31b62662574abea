#include "core/config/config_loader.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/config/error_list.h"
#include "core/config/interpolation.h"
#include "core/config/yaml/yaml_reader.h"
#include "core/config/yaml/yaml_surface.h"

namespace pretrain {

namespace {

constexpr std::size_t kMaxFiles = 100;

bool is_span(const ConfigNode& node) {
  constexpr std::array<std::string_view, 6> kUnits = {"steps",  "tokens", "samples",
                                                      "epochs", "hours",  "fraction"};
  return node.is_map() && node.entries().size() == 1 &&
         std::find(kUnits.begin(), kUnits.end(), node.entries().front().key) != kUnits.end();
}

// Reads files and their includes, lowest precedence first.
class FileLoader {
 public:
  FileLoader(LoadedConfig& config, ErrorList& errors) : config_(config), errors_(errors) {}

  void load(const std::string& path, const Mark& place) {
    std::error_code ignored;
    const std::filesystem::path identity = std::filesystem::weakly_canonical(path, ignored);
    if (std::find(open_.begin(), open_.end(), identity) != open_.end()) {
      errors_.add(place, "include: " + path + " includes itself. Remove one of the includes");
      return;
    }
    if (++count_ > kMaxFiles) {
      errors_.add(place, concat("include: more than ", kMaxFiles, " files"));
      return;
    }
    std::string text;
    if (!read_file(path, place, text)) return;
    ConfigNode root = read_yaml(text, Mark{.file = path, .line = 1, .column = 1}, errors_);
    open_.push_back(identity);
    for (const ConfigNode& include : take_includes(root)) {
      if (errors_.full()) break;
      const std::filesystem::path folder = std::filesystem::path(path).parent_path();
      load((folder / include.text()).lexically_normal().string(), include.mark());
    }
    open_.pop_back();
    config_.files.push_back(path);
    merge_config(config_.root, std::move(root));
  }

 private:
  bool read_file(const std::string& path, const Mark& place, std::string& text) {
    std::error_code ignored;
    errno = std::filesystem::is_directory(path, ignored) ? EISDIR : 0;
    std::ifstream file;
    if (errno == 0) file.open(path, std::ios::binary);
    if (errno != 0 || !file) {
      const std::string prefix = place.line > 0 ? "include: " : "";
      errors_.add(place,
                  prefix + path + " cannot be read: " + std::strerror(errno) + ". Check the path");
      return false;
    }
    // One byte more than allowed is enough to refuse the file.
    text.resize(kMaxConfigBytes + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return true;
  }

  std::vector<ConfigNode> take_includes(ConfigNode& root) {
    const ConfigNode* includes = root.find("include");
    if (!includes) return {};
    std::vector<ConfigNode> files;
    if (!includes->is_list()) {
      errors_.add(includes->mark(),
                  "include: expected a list of files such as [a.yaml], got " + shown(*includes));
    }
    for (const ConfigNode& item : includes->items()) {
      if (!item.is_scalar()) {
        errors_.add(item.mark(), "include: expected a file, got " + shown(item));
      } else if (item.text().find("${") != std::string::npos) {
        errors_.add(item.mark(), "include: interpolation comes after including. Name the file");
      } else {
        files.push_back(item);
      }
    }
    root.erase("include");
    return files;
  }

  LoadedConfig& config_;
  ErrorList& errors_;
  std::vector<std::filesystem::path> open_;
  std::size_t count_ = 0;
};

std::vector<std::string> split_key(const std::string& key, const std::string& word) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= key.size()) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    parts.push_back(key.substr(begin, end - begin));
    begin = end + 1;
    if (parts.back().empty()) {
      fail(ExitCode::kUsage, "override ", shortened(word),
           ": expected a key such as a.b. Write a.b=c");
    }
  }
  if (parts.size() >= kMaxConfigDepth) {
    fail(ExitCode::kUsage, "override ", shortened(word), ": nested deeper than ", kMaxConfigDepth,
         " levels");
  }
  return parts;
}

void drop(ConfigNode& node, const std::vector<std::string>& parts, std::size_t i, bool& found) {
  if (i + 1 == parts.size()) {
    found = node.erase(parts[i]);
    return;
  }
  for (ConfigNode::Entry& entry : node.entries()) {
    if (entry.key == parts[i]) return drop(entry.node, parts, i + 1, found);
  }
}

void apply_override(ConfigNode& root, const std::string& word, ErrorList& errors) {
  const Mark mark{.file = "override " + shortened(word), .from_working_directory = true};
  if (word.starts_with('+')) {
    fail(ExitCode::kUsage, mark.file, ": the options are a closed set. Write ",
         shortened(word.substr(1)));
  }
  if (word.starts_with('~')) {
    bool found = false;
    const std::string key = word.substr(1);
    drop(root, split_key(key, word), 0, found);
    if (!found)
      errors.add(mark, shortened(key) + " is not given, so it has its default. Remove this");
    return;
  }
  const std::string assignment = word.substr(word.starts_with("--") ? 2 : 0);
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    fail(ExitCode::kUsage, mark.file, ": expected a.b=c, got no =. Write ", shortened(assignment),
         "=VALUE");
  }
  const std::vector<std::string> parts = split_key(assignment.substr(0, equals), word);
  if (parts.front() == "include") {
    errors.add(mark, "include can stand in files only");
    return;
  }
  const std::size_t faults = errors.messages().size();
  ConfigNode node = read_yaml_value(assignment.substr(equals + 1), mark, errors);
  if (errors.messages().size() > faults) return;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    ConfigNode outer = ConfigNode::map(mark);
    outer.append_entry(*part, mark, std::move(node));
    node = std::move(outer);
  }
  merge_config(root, std::move(node));
}

}  // namespace

void merge_config(ConfigNode& base, ConfigNode over) {
  if (!base.is_map() || !over.is_map() || (is_span(base) && is_span(over))) {
    base = std::move(over);
    return;
  }
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < base.entries().size(); ++i) places[base.entries()[i].key] = i;
  for (ConfigNode::Entry& entry : over.entries()) {
    const auto found = places.find(entry.key);
    if (found == places.end()) {
      base.append_entry(std::move(entry.key), std::move(entry.key_mark), std::move(entry.node));
      continue;
    }
    ConfigNode::Entry& target = base.entries()[found->second];
    target.key_mark = std::move(entry.key_mark);
    merge_config(target.node, std::move(entry.node));
  }
}

LoadedConfig load_config(const std::string& path, const std::vector<std::string>& overrides,
                         const ConfigNode& defaults) {
  LoadedConfig config;
  // The file is the place of what is missing altogether.
  config.root = ConfigNode::map(Mark{.file = path});
  merge_config(config.root, defaults);
  ErrorList errors;
  FileLoader(config, errors).load(path, Mark{.file = "configuration"});
  errors.throw_if_any();
  for (const std::string& word : overrides) apply_override(config.root, word, errors);
  errors.throw_if_any();
  interpolate(config.root, config.environment, errors);
  errors.throw_if_any();
  return config;
}

ConfigNode parse_config_text(std::string_view text, const std::string& name,
                             const std::vector<std::string>& overrides) {
  ErrorList errors;
  const Mark origin{.file = name, .line = 1, .column = 1, .from_working_directory = true};
  ConfigNode root = read_yaml(text, origin, errors);
  errors.throw_if_any();
  for (const std::string& word : overrides) apply_override(root, word, errors);
  errors.throw_if_any();
  return root;
}

std::vector<std::string> environment_overrides() {
  constexpr std::string_view kPrefix = "PRETRAIN__";
  std::vector<std::string> words;
  for (char** variable = environ; variable && *variable; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (!text.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    std::string key(text.substr(kPrefix.size(), equals - kPrefix.size()));
    for (std::size_t at = key.find("__"); at != std::string::npos; at = key.find("__", at + 1)) {
      key.erase(at, 1);
      key[at] = '.';
    }
    words.push_back(key + std::string(text.substr(equals)));
  }
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace pretrain
