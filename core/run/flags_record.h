#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/communicator.h"

namespace pretrain {

/// What the ranks tell each other at a decision point (a step boundary, a batch of an evaluation):
/// all control decisions of the loop travel in this one record, so all ranks take the same ones.
struct FlagsRecord {
  std::uint8_t error_code = 0;    ///< ExitCode; of several ranks' the largest wins
  std::uint8_t stop_request = 0;  ///< StopRequest; the largest wins
  bool nonfinite = false;         ///< loss or gradient norm is NaN or infinite
  bool save_due = false;          ///< a checkpoint is to be written now
  bool write_failed = false;      ///< a rank could not write or publish its checkpoint
  std::uint64_t step = 0;         ///< must be equal on all ranks
  bool operator==(const FlagsRecord&) const = default;
};

/// Why the run is to end at this decision point.
enum class StopRequest : std::uint8_t {
  kNone = 0,
  kTarget = 1,
  kTimeLimit = 2,
  kPreempt = 3,
  kTerminate = 4
};

/// The record on the wire, made to be merged by one bytewise maximum over ranks. Offsets:
/// 0 version, 1 ~version, 2 error_code, 3 stop_request, 4 nonfinite, 7 save_due, 9 write_failed,
/// 16-23 step (little endian), 24-31 ~step, all others 0. A value that must be equal on all ranks
/// is sent with its complement: max(v) == ~max(~v) holds exactly if all agree.
using FlagsBytes = std::array<std::uint8_t, 64>;

FlagsBytes pack(const FlagsRecord& record);
/// Bytewise maximum of both, into `merged`.
void merge(FlagsBytes& merged, const FlagsBytes& other);
/// Empty if the merged ranks disagreed in version or step.
std::optional<FlagsRecord> unpack(const FlagsBytes& merged);

/// The merged record of all ranks, by one all-reduce of 64 bytes. Collective; `group` uses host
/// memory. Throws AgreedError(kRanksDisagree) naming the ranks if they are not at the same step.
FlagsRecord exchange(Communicator& group, const FlagsRecord& mine);

}  // namespace pretrain
