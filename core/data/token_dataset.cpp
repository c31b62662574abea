#include "core/data/token_dataset.h"

#include <algorithm>

#include "core/base/error.h"

namespace pretrain {

void TokenSequence::append(const std::shared_ptr<const Corpus>& corpus, DocumentRange range) {
  const std::uint64_t first = corpus->document_begin(range.begin);
  const std::uint64_t tokens = corpus->document_begin(range.end) - first;
  if (tokens == 0) return;
  std::uint64_t end = 0;
  if (__builtin_add_overflow(size(), tokens, &end)) {
    fail(ExitCode::kBadData, corpus->path(), ": more than 2^64 tokens together");
  }
  if (!pieces_.empty()) {
    Piece& last = pieces_.back();
    const std::uint64_t begin = begin_of(std::prev(pieces_.cend()));
    if (last.corpus == corpus.get() && last.first + (last.end - begin) == first) {
      last.end = end;
      return;
    }
  }
  if (corpora_.empty() || corpora_.back() != corpus) corpora_.push_back(corpus);
  pieces_.push_back({corpus.get(), first, end});
}

TokenSequence::PieceIterator TokenSequence::piece_at(std::uint64_t position,
                                                     std::uint64_t tokens) const {
  if (position > size() || tokens > size() - position) {
    fail(ExitCode::kInternal, "tokens ", position, " + ", tokens, " of ", size());
  }
  return std::upper_bound(
      pieces_.begin(), pieces_.end(), position,
      [](std::uint64_t value, const Piece& candidate) { return value < candidate.end; });
}

void TokenSequence::read(std::uint64_t position, std::span<std::int64_t> out) const {
  auto piece = piece_at(position, out.size());
  while (!out.empty()) {
    const std::size_t here = std::min<std::uint64_t>(out.size(), piece->end - position);
    piece->corpus->read_tokens(piece->first + (position - begin_of(piece)), out.first(here));
    out = out.subspan(here);
    position += here;
    ++piece;
  }
}

std::vector<TokenPlace> TokenSequence::places(std::uint64_t position, std::uint64_t tokens) const {
  std::vector<TokenPlace> found;
  for (auto piece = piece_at(position, tokens); tokens > 0; ++piece) {
    const std::uint64_t here = std::min(tokens, piece->end - position);
    found.push_back({piece->corpus, piece->first + (position - begin_of(piece)), here});
    tokens -= here;
    position += here;
  }
  return found;
}

void check_same_tokenizer(const std::vector<std::shared_ptr<const Corpus>>& corpora) {
  const Corpus& first = *corpora.at(0);
  for (const auto& corpus : corpora) {
    if (corpus->tokenizer_sha256() != first.tokenizer_sha256() ||
        corpus->vocab_size() != first.vocab_size()) {
      fail(ExitCode::kBadData, corpus->path(), ": vocab_size ", corpus->vocab_size(),
           " and tokenizer ", corpus->tokenizer_sha256().substr(0, 12), " differ from ",
           first.path(), ": vocab_size ", first.vocab_size(), " and tokenizer ",
           first.tokenizer_sha256().substr(0, 12), ". Build them with one tokenizer");
    }
  }
}

TokenDataset::TokenDataset(const std::vector<CorpusSplit>& sources, std::uint64_t stride,
                           std::uint64_t overlap)
    : stride_(stride), overlap_(overlap) {
  if (stride == 0) fail(ExitCode::kBadConfig, "data.sequence_length: expected >= 1, got 0");
  std::vector<std::shared_ptr<const Corpus>> corpora;
  for (const auto& [corpus, split] : sources) {
    corpora.push_back(corpus);
    for (const DocumentRange& range : corpus->split(split)) sequence_.append(corpus, range);
  }
  check_same_tokenizer(corpora);
  if (sequence_.size() < overlap || sequence_.size() - overlap < stride) {
    fail(ExitCode::kBadData, corpora.at(0)->path(),
         ": the context is longer than the corpus: split ", sources[0].split, " has ",
         sequence_.size(), " tokens, a row takes ", stride + overlap,
         ". Lower data.sequence_length or add text");
  }
}

void TokenDataset::read(std::uint64_t row, std::span<std::int64_t> out) const {
  if (row >= size() || out.size() != row_tokens()) {
    fail(ExitCode::kInternal, "row ", row, " of ", size(), " into ", out.size(), " positions");
  }
  sequence_.read(row * stride_, out);
}

std::vector<TokenPlace> TokenDataset::places(std::uint64_t row) const {
  return sequence_.places(row * stride_, row_tokens());
}

}  // namespace pretrain
