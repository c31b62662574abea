#include "core/checkpoint/checkpoint_list.h"

#include <iomanip>
#include <sstream>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/checkpoint/checkpoint_name.h"
#include "core/checkpoint/checkpoint_reader.h"

namespace pretrain {
namespace {

/// The name in a text file like `latest`; empty if there is none or it is not readable.
std::string pointed_name(const Directory& checkpoints, const std::string& file) {
  constexpr std::size_t kMaxBytes = 256;
  try {
    std::string text = checkpoints.read_text(file, kMaxBytes).value_or("");
    while (text.ends_with('\n')) text.pop_back();
    return text;
  } catch (const Error&) {
    return "";  // a hint only
  }
}

CheckpointEntry examine(const Directory& checkpoints, const CheckpointName& name,
                        VerifyMode verify) {
  CheckpointEntry entry;
  entry.name = to_string(name);
  entry.step = name.step;
  try {
    const CheckpointReader reader = open_checkpoint(checkpoints, name);
    reader.verify(verify);
    const Manifest& manifest = reader.manifest();
    entry.valid = true;
    entry.tokens = manifest.tokens;
    entry.bytes = reader.bytes();
    entry.world = manifest.world;
    entry.time = manifest.time;
    entry.eval = manifest.eval;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kBadData) throw;
    entry.reason = error.what();
  }
  return entry;
}

}  // namespace

std::vector<CheckpointEntry> list_checkpoints(const std::string& run_dir, VerifyMode verify) {
  const Directory checkpoints = Directory::open(run_dir + "/checkpoints");
  const std::string latest = pointed_name(checkpoints, "latest");
  const std::string best = pointed_name(checkpoints, "best");
  std::vector<CheckpointEntry> entries;
  for (const CheckpointName& name : checkpoint_names(checkpoints)) {
    CheckpointEntry entry = examine(checkpoints, name, verify);
    entry.is_latest = entry.name == latest;
    entry.is_best = entry.name == best;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string to_text(const std::vector<CheckpointEntry>& entries) {
  std::ostringstream out;
  for (const CheckpointEntry& entry : entries) {
    out << std::left << std::setw(18) << entry.name << "  ";
    if (!entry.valid) {
      out << "damaged: " << entry.reason << "\n";
      continue;
    }
    out << "ok  " << std::right << std::setw(10) << format_bytes(entry.bytes) << "  " << entry.time
        << "  " << entry.tokens << " tokens  world " << entry.world;
    for (const auto& [set, loss] : entry.eval) out << "  " << set << " " << loss;
    if (entry.is_latest) out << "  latest";
    if (entry.is_best) out << "  best";
    out << "\n";
  }
  return out.str();
}

}  // namespace pretrain
