#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/dataset.h"
#include "core/loss_term.h"
#include "core/model.h"
#include "core/registry.h"

namespace pretrain {

class ConfigNode;

/// What is learned. An objective owns the network it trains (the trainer sees only its parameters)
/// and returns sums and counts, never means: the trainer divides once, by the global count, so the
/// gradient does not depend on how the batch was split over ranks and micro batches.
class Objective : public torch::nn::Module {
 public:
  /// The terms, in the order in which Batch::counts and loss() list them.
  virtual const std::vector<LossTerm>& terms() const = 0;
  /// How a row of a batch is cut from the corpus, and whether it may be several sequences.
  virtual RowShape row_shape() const = 0;
  /// True if prepare() looks at TokenBatch::others.
  virtual bool needs_others() const { return false; }
  /// Host work of one micro batch. Pure in (tokens, sample ids, seed); called from the prefetch
  /// thread while the training thread runs loss(), so it must not touch the network.
  virtual Batch prepare(const TokenBatch& tokens) const = 0;
  /// Sum of the loss of each term over the batch, in nats: 0-dim float tensors that can be
  /// back-propagated.
  virtual std::vector<at::Tensor> loss(const Batch& batch) = 0;
  /// Training FLOPs of one position that prepare() makes (3 x forward; formula in core/README.md).
  virtual double flops_per_token(std::int64_t length) const = 0;
  /// Positions that prepare() makes of a full row, in the mean: of both sides where there are two.
  virtual double positions_per_row(std::int64_t length) const {
    return static_cast<double>(length);
  }
  /// True if the first term is a log-likelihood of the text, so that bits per byte mean something.
  virtual bool is_likelihood() const = 0;
  virtual Model& model() = 0;
  /// Why training makes sense only from the weights of another run (`run.init`); empty if it does
  /// from fresh ones.
  virtual std::string why_initial_weights() const { return {}; }
  /// Called once after the weights of another run were loaded into a new one (`run.init`), with the
  /// section `objective` of that run's configuration.
  virtual void start_from(const ConfigNode& /*objective*/) {}
};

/// Ids of the tokens that have a role, by the tokenizer; -1 where it has none.
struct SpecialTokens {
  std::int64_t eos = -1;  ///< closes a document
  std::int64_t pad = -1;
  std::int64_t cls = -1;  ///< opens a sequence of an encoder; with data.wrap none: -1
  std::int64_t sep = -1;  ///< closes one; likewise
  std::int64_t mask = -1;
  std::int64_t fim_prefix = -1;  ///< before the parts of a text whose middle was moved to its end
  std::int64_t fim_middle = -1;
  std::int64_t fim_suffix = -1;
  std::vector<std::int64_t> sentinels;  ///< <extra_id_0>, <extra_id_1>, ...
  std::vector<bool> is_special;         ///< [V]; never masked, replaced or drawn at random
  std::int64_t bos = -1;  ///< opens a sequence of a decoder; -1 but with data.wrap bos_eos
};

/// What every objective is built from besides its own options.
struct ObjectiveContext {
  std::shared_ptr<Model> model;
  std::string model_name = "";  ///< model.name, for messages
  std::uint64_t seed = 0;
  std::int64_t sequence_length = 0;
  std::int64_t vocab_size = 0;
  SpecialTokens special;
  bool document_mask = false;                 ///< sequences end with documents
  std::vector<std::uint8_t> word_parts = {};  ///< [V] bits of core/text/word_parts.h
};

/// Implementations of Objective, chosen by `objective.name`.
Registry<Objective, ObjectiveContext>& objectives();

}  // namespace pretrain
