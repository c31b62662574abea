#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/optim/flat_buffer.h"
#include "core/registry.h"

namespace pretrain {

/// State of an optimizer that is shaped like the parameters: one flat fp32 buffer.
struct OptimizerBuffer {
  std::string name;   ///< e.g. "exp_avg"
  at::Tensor values;  ///< [n], same layout as FlatBuffer::values()
};

/// Updates all parameters of a FlatBuffer but the frozen ones from its gradients in one pass.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update. Gradients are multiplied by `gradient_scale` first (clipping); they may be
  /// overwritten.
  virtual void step(double learning_rate, double gradient_scale) = 0;
  /// Buffers to checkpoint; views, so loading writes into them.
  virtual std::vector<OptimizerBuffer> state() = 0;

  /// Number of updates made; part of the checkpoint (bias correction depends on it).
  std::int64_t updates() const { return updates_; }
  void set_updates(std::int64_t updates) { updates_ = updates; }

 protected:
  std::int64_t updates_ = 0;
};

struct OptimizerContext {
  FlatBuffer* parameters = nullptr;  ///< borrowed, outlives the optimizer
  double weight_decay = 0;           ///< applied to the buffer's decayed range only
};

/// Implementations of Optimizer, chosen by `optimizer.name`.
Registry<Optimizer, OptimizerContext>& optimizers();

}  // namespace pretrain
