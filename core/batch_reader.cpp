#include "core/batch_reader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "core/data/corpus/corpus.h"

namespace pretrain {
namespace {

// Cuts a sequence of `tokens` into pieces of `stride` tokens and those shared with the next one.
void cut(RowPiece sequence, std::size_t stride, std::size_t overlap,
         std::vector<RowPiece>& pieces) {
  while (sequence.tokens > stride + overlap) {
    pieces.push_back({sequence.row, sequence.start, stride + overlap});
    sequence.start += stride;
    sequence.tokens -= stride;
  }
  if (sequence.tokens > overlap) pieces.push_back(sequence);
}

}  // namespace

at::Tensor empty_rows(std::int64_t rows, std::int64_t width) {
  return at::empty({rows, width}, at::TensorOptions().dtype(at::kLong));
}

BatchReader::BatchReader(std::vector<const Dataset*> sources, const SamplePlan& plan,
                         const Objective& objective)
    : sources_(std::move(sources)),
      plan_(plan),
      objective_(objective),
      shape_(objective.row_shape()) {}

TokenBatch BatchReader::read(std::uint64_t first, std::int64_t count) const {
  TokenBatch batch;
  std::vector<Sample> samples;
  bool whole = true;
  for (std::uint64_t id = first; id < first + static_cast<std::uint64_t>(count); ++id) {
    const Sample& sample = samples.emplace_back(plan_.sample(id));
    batch.sample_ids.push_back(id);
    batch.row_ids.push_back(sample.row_id);
    batch.epochs.push_back(sample.epoch);
    whole = whole && sample.parts == 1 && sources_[sample.source]->is_whole();
  }
  batch.tokens = whole ? whole_rows(samples) : pieces(samples, batch.pieces);
  if (objective_.needs_others()) batch.others = other_rows(first, samples);
  return batch;
}

Batch BatchReader::batch(std::uint64_t first, std::int64_t count) const {
  return objective_.prepare(read(first, count));
}

at::Tensor BatchReader::whole_rows(const std::vector<Sample>& samples) const {
  at::Tensor tokens = empty_rows(static_cast<std::int64_t>(samples.size()), shape_.tokens);
  auto* row = tokens.mutable_data_ptr<std::int64_t>();
  for (const Sample& sample : samples) {
    const Dataset& source = *sources_[sample.source];
    source.read(sample.row, {row, source.row_tokens()});
    row += source.row_tokens();
  }
  return tokens;
}

at::Tensor BatchReader::pieces(const std::vector<Sample>& samples,
                               std::vector<RowPiece>& pieces) const {
  const auto stride = static_cast<std::size_t>(shape_.stride());
  const auto overlap = static_cast<std::size_t>(shape_.overlap);
  std::vector<std::int64_t> rows;       // as they stand in the corpora
  std::vector<std::size_t> row_starts;  // in `rows`
  for (std::size_t r = 0; r < samples.size(); ++r) {
    const Dataset& source = *sources_[samples[r].source];
    const std::size_t part = (stride + samples[r].parts - 1) / samples[r].parts;
    row_starts.push_back(rows.size());
    if (source.is_whole()) {
      rows.resize(rows.size() + source.row_tokens());
      const std::span row = std::span(rows).subspan(row_starts.back());
      source.read(samples[r].row, row);
      cut({r, 0, row.size()}, part, overlap, pieces);
      continue;
    }
    for (const TokenPlace& place : source.places(samples[r].row)) {
      const std::size_t start = rows.size();
      rows.resize(start + place.tokens);
      place.corpus->read_tokens(place.first, std::span(rows).subspan(start));
      cut({r, start - row_starts.back(), place.tokens}, part, overlap, pieces);
    }
  }
  std::size_t size = 0;
  for (const RowPiece& piece : pieces) size += piece.tokens;
  at::Tensor tokens =
      at::empty({static_cast<std::int64_t>(size)}, at::TensorOptions().dtype(at::kLong));
  auto* out = tokens.mutable_data_ptr<std::int64_t>();
  for (const RowPiece& piece : pieces) {
    out = std::copy_n(rows.data() + row_starts[piece.row] + piece.start, piece.tokens, out);
  }
  return tokens;
}

at::Tensor BatchReader::other_rows(std::uint64_t first, const std::vector<Sample>& samples) const {
  std::vector<Sample> others = samples;
  for (std::size_t i = 0; i < others.size(); ++i) {
    others[i].row = plan_.other_row(first + i, samples[i]);
  }
  return whole_rows(others);
}

void BatchReader::announce(std::uint64_t first, std::int64_t count) const {
  for (std::uint64_t id = first; id < first + static_cast<std::uint64_t>(count); ++id) {
    const Sample sample = plan_.sample(id);
    for (const TokenPlace& place : sources_[sample.source]->places(sample.row)) {
      place.corpus->will_read(place.first, place.tokens);
    }
  }
}

}  // namespace pretrain
