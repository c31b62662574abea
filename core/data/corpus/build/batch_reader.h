#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/data/corpus/build/build_batch.h"

namespace pretrain {

/// Reads the inputs of a build batch by batch. Not thread-safe.
class DocumentBatchReader {
 public:
  static constexpr std::size_t kBatchBytes = std::size_t{1} << 20;
  static constexpr std::size_t kBatchRecords = 16384;  ///< records may be empty

  /// `inputs`, of which those from `validation` on are for validation; `file_bytes` were read
  /// before `begin`.
  DocumentBatchReader(std::vector<std::string> inputs, std::size_t validation,
                      const TextFormat& format, const InputPosition& begin,
                      std::uint64_t file_bytes);
  /// Fills the empty batch with records of one input: kBatchBytes or kBatchRecords, or one larger.
  /// False at the end of the last input. Throws as RecordReader does.
  bool read(BuildBatch& batch);

 private:
  std::vector<std::string> inputs_;
  std::size_t validation_;
  TextFormat format_;
  InputPosition position_;
  std::optional<RecordInput> open_;
  std::uint64_t before_;  // bytes of the inputs before the open one
};

}  // namespace pretrain
