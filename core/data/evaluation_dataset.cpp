#include "core/data/evaluation_dataset.h"

#include <algorithm>

#include "core/base/error.h"

namespace pretrain {

EvaluationDataset::EvaluationDataset(const std::vector<std::shared_ptr<const Corpus>>& corpora,
                                     const std::string& split, std::uint64_t sequence_length,
                                     std::optional<std::uint64_t> max_tokens)
    : sequence_length_(sequence_length), eos_id_(corpora.at(0)->eos_id()) {
  if (sequence_length == 0)
    fail(ExitCode::kBadConfig, "data.sequence_length: expected >= 1, got 0");
  check_same_tokenizer(corpora);
  bool full = false;
  for (const auto& corpus : corpora) {
    if (corpus->eos_id() != eos_id_) {
      fail(ExitCode::kBadData, corpus->path(), ": eos_id ", corpus->eos_id(), " differs from ",
           eos_id_, " in ", corpora[0]->path(), ". Build them alike");
    }
    for (DocumentRange range : corpus->split(split)) {
      if (full) break;
      const std::uint64_t first = corpus->document_begin(range.begin);
      std::uint64_t end = range.end;
      if (max_tokens) {
        end = range.begin;
        while (end < range.end &&
               (sequence_.size() + corpus->document_begin(end + 1) - first <= *max_tokens ||
                documents_ + (end - range.begin) == 0)) {
          ++end;
        }
        full = end < range.end;
      }
      range.end = end;
      sequence_.append(corpus, range);
      documents_ += range.end - range.begin;
      if (!corpus->has_document_bytes()) bytes_ = std::nullopt;
      for (std::uint64_t d = range.begin; bytes_ && d < range.end; ++d) {
        *bytes_ += corpus->document_bytes(d);
      }
    }
  }
  if (sequence_.size() == 0 || targets() == 0) {
    fail(ExitCode::kBadData, corpora[0]->path(), ": split ", split, " has ", sequence_.size(),
         " tokens, nothing to score. Choose another split");
  }
}

std::uint64_t EvaluationDataset::size() const {
  return targets() / sequence_length_ + (targets() % sequence_length_ == 0 ? 0 : 1);
}

std::uint64_t EvaluationDataset::row_targets(std::uint64_t row) const {
  if (row >= size()) fail(ExitCode::kInternal, "row ", row, " of ", size());
  return std::min(sequence_length_, targets() - row * sequence_length_);
}

void EvaluationDataset::read(std::uint64_t row, std::span<std::int64_t> out) const {
  if (out.size() != row_targets(row) + 1) {
    fail(ExitCode::kInternal, "row ", row, " into ", out.size(), " positions");
  }
  if (eos_id_ < 0) return sequence_.read(row * sequence_length_, out);
  // Positions are shifted by the eos that stands before the first token.
  if (row == 0) {
    out[0] = eos_id_;
    return sequence_.read(0, out.subspan(1));
  }
  sequence_.read(row * sequence_length_ - 1, out);
}

}  // namespace pretrain
