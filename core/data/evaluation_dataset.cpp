#include "core/data/evaluation_dataset.h"

#include <algorithm>

#include "core/base/error.h"

namespace pretrain {

EvaluationDataset::EvaluationDataset(const std::vector<CorpusSplit>& shards, std::uint64_t stride,
                                     std::optional<std::uint64_t> max_tokens, std::uint64_t overlap)
    : stride_(stride), overlap_(overlap), eos_id_(shards.at(0).corpus->eos_id()) {
  if (stride == 0) fail(ExitCode::kBadConfig, "data.sequence_length: expected >= 1, got 0");
  bool full = false;
  for (const auto& [corpus, split] : shards) {
    for (DocumentRange range : corpus->split(split)) {
      if (full) break;
      if (max_tokens) {
        const std::uint64_t last = range.end;
        range.end = whole_documents(*corpus, range, *max_tokens);
        full = range.end < last;
      }
      sequence_.append(corpus, range);
      documents_ += range.end - range.begin;
      if (!corpus->has_document_bytes()) bytes_ = std::nullopt;
      for (std::uint64_t d = range.begin; bytes_ && d < range.end; ++d) {
        *bytes_ += corpus->document_bytes(d);
      }
    }
  }
  if (sequence_.size() == 0 || targets() == 0) {
    fail(ExitCode::kBadData, shards[0].corpus->path(), ": split ", shards[0].split, " has ",
         sequence_.size(), " tokens, nothing to score. Choose another split");
  }
}

std::uint64_t EvaluationDataset::whole_documents(const Corpus& corpus, const DocumentRange& range,
                                                 std::uint64_t max_tokens) const {
  const std::uint64_t first = corpus.document_begin(range.begin);
  std::uint64_t end = range.begin;
  while (end < range.end &&
         (sequence_.size() + corpus.document_begin(end + 1) - first <= max_tokens ||
          documents_ + (end - range.begin) == 0)) {
    ++end;
  }
  return end;
}

std::optional<double> EvaluationDataset::bytes() const {
  if (!bytes_) return std::nullopt;
  const auto share = static_cast<double>(targets()) / static_cast<double>(sequence_.size());
  return static_cast<double>(*bytes_) * share;
}

std::uint64_t EvaluationDataset::targets() const {
  const std::uint64_t tokens = sequence_.size();
  if (overlap_ == 0) return tokens % stride_ == 1 && stride_ > 1 ? tokens - 1 : tokens;
  return tokens == 0 || eos_id_ >= 0 ? tokens : tokens - 1;
}

std::uint64_t EvaluationDataset::size() const {
  return targets() / stride_ + (targets() % stride_ == 0 ? 0 : 1);
}

std::uint64_t EvaluationDataset::row_targets(std::uint64_t row) const {
  if (row >= size()) fail(ExitCode::kInternal, "row ", row, " of ", size());
  return std::min(stride_, targets() - row * stride_);
}

void EvaluationDataset::read(std::uint64_t row, std::span<std::int64_t> out) const {
  if (out.size() != row_tokens(row)) {
    fail(ExitCode::kInternal, "row ", row, " into ", out.size(), " positions");
  }
  if (overlap_ == 0 || eos_id_ < 0) return sequence_.read(row * stride_, out);
  // Positions are shifted by the eos that stands before the first token.
  if (row == 0) {
    out[0] = eos_id_;
    return sequence_.read(0, out.subspan(1));
  }
  sequence_.read(row * stride_ - 1, out);
}

}  // namespace pretrain
