#include "objectives/corruption/rows.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

namespace pretrain {
namespace {

template <class T>
at::Tensor copied(const std::vector<T>& values, at::ScalarType type) {
  const at::Tensor tensor =
      at::empty({static_cast<std::int64_t>(values.size())}, at::TensorOptions().dtype(type));
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<T>());
  return tensor;
}

}  // namespace

std::vector<Row> rows_of(const TokenBatch& batch) {
  const std::int64_t* tokens = batch.tokens.const_data_ptr<std::int64_t>();
  std::vector<Row> rows;
  for (const RowPiece& piece : batch.pieces) {
    rows.push_back({{tokens, piece.tokens},
                    batch.sample_ids[piece.row],
                    piece.row,
                    static_cast<std::int64_t>(piece.start)});
    tokens += piece.tokens;
  }
  if (!batch.pieces.empty()) return rows;
  const auto width = static_cast<std::size_t>(batch.tokens.size(1));
  for (const std::uint64_t id : batch.sample_ids) {
    rows.push_back({{tokens + rows.size() * width, width}, id, rows.size()});
  }
  return rows;
}

std::uint64_t sequence_key(std::uint64_t sample_id, std::int64_t start) {
  return (sample_id << 24) ^ static_cast<std::uint64_t>(start);
}

std::vector<std::span<const std::int64_t>> documents_of(std::span<const std::int64_t> row,
                                                        std::int64_t eos) {
  std::vector<std::span<const std::int64_t>> documents;
  while (!row.empty()) {
    const auto end = std::find(row.begin(), row.end(), eos);
    const auto count = static_cast<std::size_t>(end - row.begin()) + (end == row.end() ? 0 : 1);
    documents.push_back(row.first(count));
    row = row.subspan(count);
  }
  return documents;
}

RowShape predicted_rows(std::int64_t length, std::int64_t bos) {
  if (bos >= 0) return {length, 0, 0, true};
  return {length + 1, 1, 0, true};
}

std::vector<Text> texts_of(const TokenBatch& batch, std::int64_t eos, std::int64_t bos) {
  std::vector<Text> texts;
  for (const Row& row : rows_of(batch)) {
    const std::size_t shared = bos < 0 && eos >= 0 ? 1 : 0;  // that begin the next row
    for (auto text : documents_of(row.tokens.first(row.tokens.size() - shared), eos)) {
      const auto start = text.data() - row.tokens.data();
      if (shared > 0 && text.back() != eos) text = row.tokens.subspan(std::size_t(start));
      Text& made = texts.emplace_back();
      made.key = sequence_key(row.sample_id, row.start + start);
      if (bos >= 0) made.tokens.push_back(bos);
      made.tokens.insert(made.tokens.end(), text.begin(), text.end());
    }
  }
  return texts;
}

void SequenceBuilder::begin(std::uint64_t key, std::int64_t prefix) {
  starts_.push_back(size());
  prefixes_.push_back(prefix);
  keys_.push_back(key);
}

void SequenceBuilder::add(std::int64_t token, std::int64_t segment) {
  add(std::span(&token, 1), segment);
}

void SequenceBuilder::add(std::span<const std::int64_t> tokens, std::int64_t segment) {
  if (segment != 0) segments_.resize(tokens_.size());
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  if (segment != 0) segments_.resize(tokens_.size(), segment);
}

Sequences SequenceBuilder::take() {
  Sequences sequences;
  sequences.tokens = as_tensor(tokens_);
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    sequences.lengths.push_back((i + 1 < starts_.size() ? starts_[i + 1] : size()) - starts_[i]);
  }
  const bool prefixed =
      std::any_of(prefixes_.begin(), prefixes_.end(), [](auto p) { return p != 0; });
  if (prefixed) sequences.prefixes = std::move(prefixes_);
  if (!segments_.empty()) {
    segments_.resize(tokens_.size());
    sequences.segments = as_tensor(segments_);
  }
  sequences.keys = std::move(keys_);
  *this = SequenceBuilder();
  return sequences;
}

at::Tensor as_tensor(const std::vector<std::int64_t>& values) { return copied(values, at::kLong); }

at::Tensor as_tensor(const std::vector<float>& values) { return copied(values, at::kFloat); }

}  // namespace pretrain
