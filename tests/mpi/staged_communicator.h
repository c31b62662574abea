#pragma once

#include <ATen/core/Tensor.h>

#include "core/communicator.h"

namespace pretrain::testing {

/// A communicator of device memory made to look like one of host memory: each call copies its
/// buffers to the current GPU and back. So the checks for host memory also run over GPUs.
class StagedCommunicator : public Communicator {
 public:
  explicit StagedCommunicator(std::unique_ptr<Communicator> device) : device_(std::move(device)) {}

  int rank() const override { return device_->rank(); }
  int size() const override { return device_->size(); }
  bool device_memory() const override { return false; }
  void all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) override;
  void all_gather(const void* send, void* receive, std::size_t count, DataType type) override;
  void reduce_scatter(const void* send, void* receive, std::size_t count, DataType type,
                      ReduceOp op) override;
  void all_to_all(const void* send, void* receive, std::size_t count, DataType type) override;
  void broadcast(void* data, std::size_t count, DataType type, int root) override;
  void barrier() override { device_->barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  std::size_t ranks() const { return static_cast<std::size_t>(size()); }
  std::unique_ptr<Communicator> device_;
};

}  // namespace pretrain::testing
