#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/data/token_dataset.h"

namespace pretrain {

/// A split of one or more shards in order, cut into rows so that every token is scored exactly
/// once.
///
/// With overlap 1 (objectives that predict the next token) rows share a token. If the corpus has an
/// eos id, an eos before the first token lets that be predicted too; otherwise the first token is
/// the only one that is not scored. With overlap 0 rows are cut side by side; a last row of one
/// token is left out. Immutable; safe to share between threads.
class EvaluationDataset {
 public:
  /// `max_tokens`: take as many whole documents from the start as have at most so many tokens, but
  /// at least one. Throws kBadData if the split is missing or has nothing to score; kBadConfig if
  /// stride is 0.
  EvaluationDataset(const std::vector<CorpusSplit>& shards, std::uint64_t stride,
                    std::optional<std::uint64_t> max_tokens = std::nullopt,
                    std::uint64_t overlap = 1);
  EvaluationDataset(const CorpusSplit& source, std::uint64_t stride,
                    std::optional<std::uint64_t> max_tokens = std::nullopt,
                    std::uint64_t overlap = 1)
      : EvaluationDataset(std::vector<CorpusSplit>{source}, stride, max_tokens, overlap) {}

  /// Number of rows.
  std::uint64_t size() const;
  /// Scored tokens, over all rows.
  std::uint64_t targets() const;
  /// Scored tokens of a row: `stride`, in the last row perhaps fewer.
  std::uint64_t row_targets(std::uint64_t row) const;
  /// UTF-8 bytes of the source behind the scored tokens; nullopt if the corpus does not record
  /// them. A token that is not scored counts as an average one.
  std::optional<double> bytes() const;
  std::uint64_t documents() const { return documents_; }

  /// Tokens of a row: row_targets(row) + overlap.
  std::uint64_t row_tokens(std::uint64_t row) const { return row_targets(row) + overlap_; }
  /// out [row_tokens(row)]
  void read(std::uint64_t row, std::span<std::int64_t> out) const;

 private:
  std::uint64_t whole_documents(const Corpus& corpus, const DocumentRange& range,
                                std::uint64_t max_tokens) const;

  TokenSequence sequence_;
  std::uint64_t stride_;
  std::uint64_t overlap_;
  std::int64_t eos_id_;
  std::uint64_t documents_ = 0;
  std::optional<std::uint64_t> bytes_ = 0;
};

}  // namespace pretrain
