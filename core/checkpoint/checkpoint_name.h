#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/files/directory.h"

namespace pretrain {

/// Which checkpoint of a run: the directory step-00001000, or step-00001000.l2 in lineage 2. The
/// order is the order of resuming: a later lineage wins over any step of an earlier one.
struct CheckpointName {
  std::uint64_t lineage = 0;
  std::uint64_t step = 0;
  auto operator<=>(const CheckpointName&) const = default;
};

std::string to_string(const CheckpointName& name);
/// Nothing unless `text` is exactly what to_string gives for some name.
std::optional<CheckpointName> parse_checkpoint_name(std::string_view text);
/// The names in a checkpoints directory, newest first; other entries are passed over.
std::vector<CheckpointName> checkpoint_names(const Directory& checkpoints);

/// Names of a directory being written (tmp-step-00001000-NONCE) and of one being removed
/// (.trash-step-00001000-NONCE), of the kind that Directory::remove_leftovers knows.
std::string temporary_name(const CheckpointName& name);
std::string trash_name(const CheckpointName& name);

}  // namespace pretrain
