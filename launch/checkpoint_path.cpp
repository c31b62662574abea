#include "launch/checkpoint_path.h"

#include <filesystem>

#include "core/base/error.h"
#include "core/base/logging.h"
#include "core/checkpoint/checkpoint_list.h"
#include "core/checkpoint/checkpoint_reader.h"

namespace pretrain {

void require_run(const std::string& run) {
  namespace fs = std::filesystem;
  if (fs::is_directory(run + "/checkpoints")) return;
  if (fs::exists(run + "/config.json")) {
    fail(ExitCode::kBadData, run,
         ": is a Hugging Face directory, not a run. Make one of it: ", "pretrain import ", run,
         " OUT");
  }
  fail(ExitCode::kBadData, run, fs::exists(run) ? ": is no run" : ": does not exist",
       ", expected a run directory (it has checkpoints/), a checkpoint or a Hugging Face directory "
       "(it has config.json)");
}

std::string checkpoint_path(const std::string& name) {
  namespace fs = std::filesystem;
  if (fs::exists(fs::path(name) / "manifest.json")) return name;
  const std::size_t colon = name.rfind(':');
  const bool chosen = !fs::exists(name) && colon != std::string::npos;
  const std::string run = chosen ? name.substr(0, colon) : name;
  const std::string which = chosen ? name.substr(colon + 1) : "";
  require_run(run);
  for (const CheckpointEntry& entry : list_checkpoints(run, VerifyMode::kSizes)) {
    const bool wanted =
        which.empty() || (which == "best" && entry.is_best) || which == std::to_string(entry.step);
    if (!wanted || !entry.valid) continue;
    const std::string path = run + "/checkpoints/" + entry.name;
    try {
      CheckpointReader(path).verify(VerifyMode::kFull);
      return path;
    } catch (const Error& error) {
      if (!which.empty()) throw;
      log_warning(concat(entry.name, " skipped: ", error.what()));
    }
  }
  fail(ExitCode::kBadData, name, ": no such checkpoint. See: pretrain checkpoint list ", run);
}

}  // namespace pretrain
