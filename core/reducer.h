#pragma once

#include <ATen/core/Tensor.h>

namespace pretrain {

/// Makes gradients global. One step of its owner:
///   for each micro-batch: set_sync(is_last); backward();   then   finalize();
/// Used by one thread; every rank makes the same calls.
class Reducer {
 public:
  virtual ~Reducer() = default;

  /// The flat buffer of all gradients, fp32 [n], contiguous, of the same size on all ranks and in
  /// the memory its communicator asks for. The tensor shares storage with the caller's; called once
  /// before the first step.
  virtual void attach(const at::Tensor& gradients) = 0;
  /// True before the last backward of a step: its gradients may be sent as they appear. False:
  /// gradients are only accumulated.
  virtual void set_sync(bool sync) = 0;
  /// Returns when the attached gradients are the sum over all ranks (device memory: ordered on the
  /// current stream), the same bits on all of them. The sync of the step must have been on.
  virtual void finalize() = 0;
};

}  // namespace pretrain
