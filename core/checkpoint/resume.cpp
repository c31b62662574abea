#include "core/checkpoint/resume.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint_name.h"
#include "core/checkpoint/checkpoint_reader.h"

namespace pretrain {
namespace {

/// The run's checkpoints as rank 0 sees them, newest first, on all ranks.
std::vector<CheckpointName> agreed_names(Communicator& group, const std::string& checkpoints) {
  std::string text;
  agree(group, [&] {
    if (group.rank() != 0 || !std::filesystem::exists(checkpoints)) return;
    for (const CheckpointName& name : checkpoint_names(Directory::open(checkpoints))) {
      text += to_string(name) + "\n";
    }
  });
  std::istringstream lines(broadcast_text(group, text));
  std::vector<CheckpointName> names;
  for (std::string line; std::getline(lines, line);) {
    names.push_back(parse_checkpoint_name(line).value());
  }
  return names;
}

/// Throws the agreed error unless `open()` gives a valid checkpoint on all ranks.
template <class Open>
void verify_together(Communicator& group, VerifyMode mode, Open&& open) {
  agree(group, [&] {
    const CheckpointReader reader = open();
    reader.verify(mode, static_cast<std::size_t>(group.rank()),
                  static_cast<std::size_t>(group.size()));
  });
}

std::uint64_t next_lineage(const std::vector<CheckpointName>& names) {
  return names.empty() ? 0 : names.front().lineage + 1;
}

std::string last_part(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

FoundCheckpoint take_path(Communicator& group, const std::vector<CheckpointName>& names,
                          const std::string& checkpoints, std::string path, VerifyMode verify) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  verify_together(group, verify, [&] { return CheckpointReader(path); });
  std::string is_newest;
  agree(group, [&] {
    if (group.rank() != 0 || names.empty()) return;
    const std::string newest = checkpoints + "/" + to_string(names.front());
    if (std::filesystem::equivalent(path, newest)) is_newest = "yes";
  });
  is_newest = broadcast_text(group, is_newest);
  return {path, is_newest.empty() ? next_lineage(names) : names.front().lineage, {}};
}

}  // namespace

std::optional<FoundCheckpoint> find_checkpoint(Communicator& group, const std::string& run_dir,
                                               const std::string& resume, VerifyMode verify) {
  const std::string checkpoints = run_dir + "/checkpoints";
  const std::vector<CheckpointName> names = agreed_names(group, checkpoints);
  if (resume == "never") {
    if (names.empty()) return std::nullopt;
    throw AgreedError(ExitCode::kCannotCreate,
                      concat(checkpoints, ": holds ", to_string(names.front()),
                             " although run.resume is never. Use another run.dir or "
                             "run.resume=auto"));
  }
  if (resume != "auto" && resume != "require") {
    return take_path(group, names, checkpoints, resume, verify);
  }
  if (names.empty()) {
    if (resume == "auto") return std::nullopt;
    throw AgreedError(ExitCode::kBadData,
                      concat(checkpoints,
                             ": has no checkpoint although run.resume is require. "
                             "Use run.resume=auto to start anew"));
  }
  FoundCheckpoint found;
  for (const CheckpointName& name : names) {
    const std::string path = checkpoints + "/" + to_string(name);
    try {
      verify_together(group, verify,
                      [&] { return open_checkpoint(Directory::open(checkpoints), name); });
      found.path = path;
      found.lineage = found.rejected.empty() ? name.lineage : next_lineage(names);
      return found;
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) throw;
      const std::string message = error.what();
      const std::size_t at = message.find(path + "/");
      found.rejected.push_back(
          {path, at == std::string::npos ? message : message.substr(at + path.size() + 1)});
    }
  }
  throw AgreedError(
      ExitCode::kBadData,
      concat(checkpoints, ": none of ", names.size(), " checkpoints is valid. ",
             last_part(found.rejected.front().path), ": ", found.rejected.front().reason,
             ". See: pretrain checkpoint verify ", run_dir));
}

std::string rejection_warning(const RejectedCheckpoint& rejected, const FoundCheckpoint& found) {
  return concat(last_part(rejected.path), " skipped: ", rejected.reason, ". Resuming from ",
                last_part(found.path));
}

}  // namespace pretrain
