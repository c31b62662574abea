#include "models/embeddings.h"

#include <ATen/ops/empty.h>

#include <cmath>

#include "models/attention/positions.h"
#include "models/layers/dropout.h"
#include "models/layers/embedding.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kDrop = std::uint64_t{1} << 31;  // beyond those of blocks

}  // namespace

Embeddings::Embeddings(const TransformerOptions& options, const Shape& shape,
                       const ModelContext& context)
    : options_(options), shape_(shape), seed_(context.seed) {
  const std::int64_t width = options.embedding_width();
  const auto table = [&](const char* name, std::int64_t rows) {
    return register_parameter(name, at::empty({rows, width}, context.options));
  };
  token = table("token", options.padded_vocab(context.vocab_size));
  const std::int64_t rows = shape.offset + options.positions(context);
  if (options.position == "learned") position = table("position", rows);
  if (options.position == "sinusoidal") position = sinusoidal_table(rows, width, context.options);
  if (shape.segments > 0) segment = table("segment", shape.segments);
  if (shape.norm) {
    norm =
        register_module("norm", std::make_shared<Norm>(options.norm_kind(), width, options.norm_eps,
                                                       at::kFloat, context.options));
  }
}

at::Tensor Embeddings::forward(const Sequences& sequences, std::int64_t first) {
  at::Tensor x = embed_tokens(token, sequences.tokens);
  const std::int64_t width = x.size(1);
  if (shape_.scale) x = x * std::sqrt(static_cast<double>(width));
  if (position.defined()) {
    const std::int64_t start = shape_.offset + first;
    const std::int64_t length = sequences.uniform_length();
    if (length > 0) {
      x = (x.view({-1, length, width}) + position.narrow(0, start, length)).view({-1, width});
    } else {
      x = x + embed_tokens(position, position_ids(sequences.lengths, start, x.device()));
    }
  }
  if (segment.defined()) {
    x = x + (sequences.segments.defined() ? embed_tokens(segment, sequences.segments) : segment[0]);
  }
  if (norm) x = norm->forward(x);
  return dropout(x, is_training() ? options_.dropout : 0, {seed_, kDrop}, sequences.keys,
                 sequences.lengths);
}

}  // namespace pretrain
