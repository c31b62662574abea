#pragma once

#include "core/communicator.h"
#include "core/reducer.h"

namespace pretrain {

/// The reference: one all-reduce of the whole buffer after the last backward. No overlap, no extra
/// memory.
class FlatReducer : public Reducer {
 public:
  /// Borrows `group`, which must outlive the reducer.
  explicit FlatReducer(Communicator& group) : group_(group) {}

  void attach(const at::Tensor& gradients) override;
  void set_sync(bool sync) override { sync_ = sync; }
  void finalize() override;

 private:
  Communicator& group_;
  at::Tensor gradients_;
  bool sync_ = false;
};

}  // namespace pretrain
