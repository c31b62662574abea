#include "core/run/flags_record.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace pretrain {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kVersionAt = 0;
constexpr std::size_t kErrorCodeAt = 2;
constexpr std::size_t kStopRequestAt = 3;
constexpr std::size_t kNonfiniteAt = 4;
constexpr std::size_t kSaveDueAt = 7;
constexpr std::size_t kWriteFailedAt = 9;
constexpr std::size_t kStepAt = 16;

// `width` bytes of `value` at `at`, followed by their complement.
void put_agreed(FlagsBytes& bytes, std::size_t at, std::size_t width, std::uint64_t value) {
  for (std::size_t i = 0; i < width; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    bytes[at + width + i] = static_cast<std::uint8_t>(~value >> (8 * i));
  }
}

std::optional<std::uint64_t> get_agreed(const FlagsBytes& bytes, std::size_t at,
                                        std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if ((bytes[at + i] ^ bytes[at + width + i]) != 0xFF) return std::nullopt;
    value |= std::uint64_t{bytes[at + i]} << (8 * i);
  }
  return value;
}

[[noreturn]] void name_disagreement(Communicator& group, const FlagsRecord& mine) {
  const auto step = static_cast<std::int64_t>(mine.step);
  std::vector<std::int64_t> steps(static_cast<std::size_t>(group.size()));
  group.all_gather(&step, steps.data(), 1, DataType::kI64);
  std::map<std::int64_t, std::string> ranks_at;
  for (std::size_t r = 0; r < steps.size(); ++r) {
    std::string& ranks = ranks_at[steps[r]];
    ranks += concat(ranks.empty() ? "" : ", ", r);
  }
  std::string text;
  for (const auto& [at, ranks] : ranks_at) {
    text += concat(text.empty() ? "" : "; ", "step ", at, " on rank ", ranks);
  }
  if (ranks_at.size() == 1) text = "different versions of the flags record";
  throw AgreedError(ExitCode::kRanksDisagree,
                    concat("step loop: expected all ranks at the same step, got ", text,
                           ". Start again; if it recurs suspect the hardware"));
}

}  // namespace

FlagsBytes pack(const FlagsRecord& record) {
  FlagsBytes bytes{};
  put_agreed(bytes, kVersionAt, 1, kVersion);
  bytes[kErrorCodeAt] = record.error_code;
  bytes[kStopRequestAt] = record.stop_request;
  bytes[kNonfiniteAt] = record.nonfinite;
  bytes[kSaveDueAt] = record.save_due;
  bytes[kWriteFailedAt] = record.write_failed;
  put_agreed(bytes, kStepAt, 8, record.step);
  return bytes;
}

void merge(FlagsBytes& merged, const FlagsBytes& other) {
  std::transform(merged.begin(), merged.end(), other.begin(), merged.begin(),
                 [](std::uint8_t a, std::uint8_t b) { return std::max(a, b); });
}

std::optional<FlagsRecord> unpack(const FlagsBytes& merged) {
  const auto version = get_agreed(merged, kVersionAt, 1);
  const auto step = get_agreed(merged, kStepAt, 8);
  if (version != kVersion || !step) return std::nullopt;
  FlagsRecord record;
  record.error_code = merged[kErrorCodeAt];
  record.stop_request = merged[kStopRequestAt];
  record.nonfinite = merged[kNonfiniteAt] != 0;
  record.save_due = merged[kSaveDueAt] != 0;
  record.write_failed = merged[kWriteFailedAt] != 0;
  record.step = *step;
  return record;
}

FlagsRecord exchange(Communicator& group, const FlagsRecord& mine) {
  FlagsBytes bytes = pack(mine);
  group.all_reduce(bytes.data(), bytes.size(), DataType::kU8, ReduceOp::kMax);
  const auto merged = unpack(bytes);
  if (!merged) name_disagreement(group, mine);
  return *merged;
}

}  // namespace pretrain
