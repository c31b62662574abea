#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint_options.h"
#include "core/config/config_node.h"
#include "core/config/option_table.h"
#include "core/metrics/metrics_logger.h"
#include "core/optim/schedule.h"
#include "launch/config/run_options.h"

namespace pretrain {

/// A configuration with every option read: what a run does, completely. Sections that a component
/// reads (model, objective, optimizer) stay in `resolved` for create_*().
struct RunConfig {
  RunOptions run;
  DataOptions data;
  TokenizerOptions tokenizer;
  ModelSection model;
  ObjectiveSection objective;
  OptimizerSection optimizer;
  ScheduleOptions schedule;
  TrainOptions train;
  ParallelOptions parallel;
  PrecisionOptions precision;
  CheckpointOptions checkpoint;
  EvalOptions eval;
  LoggingOptions logging;
  ReliabilityOptions reliability;
  DebugOptions debug;

  /// What was read, with the places where it stands.
  ConfigNode given;
  /// "q.yaml:14:3: " of an option that was given, "" of one that has its default.
  std::string place(std::string_view key) const;
  /// All options with their values, section by section.
  ConfigNode resolved;
  /// Settles an option that was `auto`: its value becomes part of the resolved text.
  void settle(std::string_view section, std::string_view key, const std::string& value);
  /// to_yaml(resolved); read_config gives an equal RunConfig again.
  std::string text() const { return to_yaml(resolved); }
};

/// Reads every option of `root`. `name` is the default of run.name. Throws kBadConfig with all
/// faults: unknown, missing or ill-typed options, and components that do not exist.
RunConfig read_config(const ConfigNode& root, const std::string& name);

/// The rows of all sections and components: the option table of the program.
std::vector<OptionRow> all_option_rows();

/// SHA-256 of the resolved text, and of its identity part.
std::string config_sha256(const RunConfig& config);
std::string identity_sha256(const RunConfig& config);

/// An option whose value differs between two configurations; values as YAML, or "not set".
struct OptionChange {
  std::string key;
  std::string before;
  std::string now;
  bool operator==(const OptionChange&) const = default;
};
/// Of all options.
std::vector<OptionChange> option_changes(const ConfigNode& before, const ConfigNode& now);
/// Of the identity options, but for those that `allowed` lists.
std::vector<OptionChange> identity_changes(const ConfigNode& before, const ConfigNode& now,
                                           const std::vector<std::string>& allowed);

}  // namespace pretrain
