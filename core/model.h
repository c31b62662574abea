#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <vector>

#include "core/batch.h"
#include "core/registry.h"

namespace pretrain {

/// Keys and values of the positions a model has already seen, one entry a layer: [S, H, D] each.
/// Owned by whoever generates; the model appends to it. Encoder-decoders keep the encoder's
/// features here too, so that they are made once.
struct KeyValueCache {
  std::vector<at::Tensor> keys;
  std::vector<at::Tensor> values;
  at::Tensor encoded;       ///< [S encoder, d] or undefined
  std::int64_t length = 0;  ///< S
};

/// Which positions of its sequence a position sees. Encoder-decoders see all of the encoder's input
/// and decode causally.
enum class Pattern {
  kCausal,         ///< itself and those before it
  kBidirectional,  ///< all
  kPrefix,         ///< causal, and within Sequences::prefixes both ways
};

/// What a model sees; borrowed for the call.
struct ModelInput {
  const Sequences& sequences;
  Pattern pattern = Pattern::kCausal;
  const Sequences* decoder = nullptr;  ///< encoder-decoders only
  /// Continue the one sequence after these positions (generation); null: start at 0.
  KeyValueCache* cache = nullptr;
};

/// What a model can be trained for; an objective names the kinds it can use.
enum class ModelKind { kDecoder, kEncoder, kEncoderDecoder, kReplacedTokens };
/// "a decoder", "an encoder", "an encoder-decoder", "an encoder with a generator".
const char* to_string(ModelKind kind);

/// Projection from features to logits: logits = features weight^T (+ bias).
struct OutputHead {
  at::Tensor weight;        ///< [V padded, d], often the input embedding itself
  at::Tensor bias;          ///< [V padded] or undefined
  std::int64_t vocab_size;  ///< rows beyond are padding and never win a softmax
};

/// A network from tokens to hidden features. Logits are made only where an objective asks for them.
class Model : public torch::nn::Module {
 public:
  virtual ModelKind kind() const = 0;
  /// How a decoder reads the text that it continues: kPrefix if it was trained to see it both ways.
  /// Its objective says so; the weights do not.
  Pattern prompt_pattern = Pattern::kCausal;
  /// Features [N, d] in the compute type; of an encoder-decoder those of the decoder's positions.
  /// Throws kBadData if a sequence is longer than max_positions().
  virtual at::Tensor forward(const ModelInput& input) = 0;
  /// What the output head multiplies: rows [M, d] of the features after the layers that belong to
  /// prediction alone (BERT's transform, T5's scale).
  virtual at::Tensor head_features(const at::Tensor& features) { return features; }
  virtual OutputHead head() = 0;
  /// True if the model has a head for pairs of sentences.
  virtual bool has_sequence_head() const { return false; }
  /// Logits [sequences, 2] fp32 from the features of each sequence's first position [sequences, d].
  virtual at::Tensor sequence_logits(const at::Tensor& first);
  /// Draws all weights by address (seed, parameter name): independent of ranks, threads and device.
  virtual void initialize(std::uint64_t seed) = 0;
  virtual std::int64_t max_positions() const = 0;
  /// Forward FLOPs of one token in rows of `length` without the head: 2 per multiply-add, lookups
  /// 0, causal attention counted half.
  virtual double body_flops_per_token(std::int64_t length) const = 0;
  /// Encoder-decoders: the same of one token of a decoded text of `length` behind a source of
  /// `source` tokens; body_flops_per_token() is of the source's tokens. Others: 0.
  virtual double decoder_flops_per_token(std::int64_t length, std::int64_t source) const;
  /// Bytes that one token of a training forward leaves for the backward pass, without the head.
  virtual double activation_bytes_per_token() const = 0;
};

/// Throws kBadData if a sequence that begins at position `first` ends beyond `max_positions`.
void check_lengths(const Sequences& sequences, std::int64_t first, std::int64_t max_positions);

/// What every model is built from besides its own options.
struct ModelContext {
  std::int64_t vocab_size = 0;          ///< of the tokenizer
  std::int64_t sequence_length = 0;     ///< longest row it will be trained on
  at::ScalarType compute = at::kFloat;  ///< type of matrix products: float or bfloat16
  std::uint64_t seed = 0;               ///< key of dropout
  std::int64_t pad_id = -1;             ///< of the tokenizer; -1: none
  bool recompute = false;               ///< make a block's activations again for its backward pass
  at::TensorOptions options = {};       ///< where the fp32 parameters are made; kMeta: sizes only
};

/// Implementations of Model, chosen by `model.name`.
Registry<Model, ModelContext>& models();

}  // namespace pretrain
