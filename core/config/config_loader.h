#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config_node.h"

namespace pretrain {

/// A configuration before its options are read: one map out of files and overrides.
struct LoadedConfig {
  ConfigNode root;
  /// Environment variables that ${env:..} read, with their values; no others.
  std::map<std::string, std::string> environment;
  /// All files read, in the order of precedence, lowest first.
  std::vector<std::string> files;
};

/// Loads `path`, and what its `include: [..]` names (relative to it, depth first, before it), then
/// the overrides from left to right: `a.b=c`, `--a.b=c`, `a.list=[1, 2]`, `~a.b` (drops the key, so
/// that it has its default). Interpolation comes last. `defaults` is the map of lowest precedence,
/// for names that ${..} may use without the file giving them. Throws kBadConfig with all faults,
/// and kUsage for a word that is no override.
LoadedConfig load_config(const std::string& path, const std::vector<std::string>& overrides,
                         const ConfigNode& defaults = ConfigNode::map());

/// Reads text that was resolved before, as it is sent to other ranks or stands in
/// config.resolved.yaml: no includes, no interpolation, paths relative to the working directory.
/// `name` stands for it in messages; overrides are laid upon it. Throws kBadConfig, and kUsage for
/// a word that is no override.
ConfigNode parse_config_text(std::string_view text, const std::string& name,
                             const std::vector<std::string>& overrides = {});

/// Lays `over` upon `base`: maps merge key by key; anything else replaces, and so does a span
/// (a map whose only key is a unit) a span.
void merge_config(ConfigNode& base, ConfigNode over);

/// The variables PRETRAIN__a__b=c of the environment as overrides `a.b=c`, sorted by name.
std::vector<std::string> environment_overrides();

}  // namespace pretrain
