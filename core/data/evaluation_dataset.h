#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/data/token_dataset.h"

namespace pretrain {

/// A split in order, cut into rows so that every token is scored exactly once. If the corpus has an
/// eos id, an eos before the first token lets that be predicted too; otherwise the first token is
/// the only one that is not scored. Immutable; safe to share between threads.
class EvaluationDataset {
 public:
  /// `max_tokens`: take as many whole documents from the start as have at most so many tokens, but
  /// at least one. Throws kBadData if the split is missing or has nothing to score; kBadConfig if
  /// sequence_length is 0.
  EvaluationDataset(const CorpusSplit& source, std::uint64_t sequence_length,
                    std::optional<std::uint64_t> max_tokens = std::nullopt);

  /// Number of rows.
  std::uint64_t size() const;
  /// Scored tokens, over all rows.
  std::uint64_t targets() const { return sequence_.size() - (eos_id_ >= 0 ? 0 : 1); }
  /// Scored tokens of a row: sequence_length, in the last row perhaps fewer.
  std::uint64_t row_targets(std::uint64_t row) const;
  /// UTF-8 bytes of the source behind the scored tokens; nullopt if the corpus does not record
  /// them. A first token that is not scored counts as an average one.
  std::optional<double> bytes() const;
  std::uint64_t documents() const { return documents_; }

  /// out [row_targets(row) + 1]: inputs are all but the last, targets all but the first.
  void read(std::uint64_t row, std::span<std::int64_t> out) const;

 private:
  std::uint64_t whole_documents(const Corpus& corpus, const DocumentRange& range,
                                std::uint64_t max_tokens) const;

  TokenSequence sequence_;
  std::uint64_t sequence_length_;
  std::int64_t eos_id_;
  std::uint64_t documents_ = 0;
  std::optional<std::uint64_t> bytes_ = 0;
};

}  // namespace pretrain
