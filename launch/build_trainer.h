#pragma once

#include <memory>
#include <string>

#include "core/trainer.h"
#include "launch/config/run_config.h"
#include "launch/inputs.h"
#include "launch/process/process.h"
#include "launch/run_directory.h"

namespace pretrain {

/// A run, put together out of parts: the composition root. Names in the config become objects here
/// and nowhere else. All functions are collective.
class TrainingRun {
 public:
  /// Opens inputs, takes the run directory, builds everything and loads the checkpoint to go on
  /// from. `given_config` is the text of the config file. Throws the Error all ranks agree on.
  TrainingRun(const RunConfig& config, Process& process, const std::string& given_config);
  ~TrainingRun();

  /// Trains; says on the console how it begins and ends. Returns kOk or kStopped.
  ExitCode run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace pretrain
