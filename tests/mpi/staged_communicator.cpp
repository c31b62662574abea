#include "tests/mpi/staged_communicator.h"

#include <ATen/Functions.h>

namespace pretrain::testing {
namespace {

// Views `bytes` of host memory; the cast is for reading only.
at::Tensor host_view(const void* data, std::size_t bytes) {
  return at::from_blob(const_cast<void*>(data), {static_cast<std::int64_t>(bytes)}, at::kByte);
}

at::Tensor to_device(const void* data, std::size_t bytes) {
  return host_view(data, bytes).to(at::kCUDA);
}

at::Tensor device_buffer(std::size_t bytes) {
  return at::empty({static_cast<std::int64_t>(bytes)}, at::device(at::kCUDA).dtype(at::kByte));
}

// The copy waits for what is queued on the stream.
void to_host(const at::Tensor& tensor, void* data, std::size_t bytes) {
  host_view(data, bytes).copy_(tensor);
}

}  // namespace

void StagedCommunicator::all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) {
  const std::size_t bytes = count * size_of(type);
  const at::Tensor buffer = to_device(data, bytes);
  device_->all_reduce(buffer.mutable_data_ptr(), count, type, op);
  to_host(buffer, data, bytes);
}

void StagedCommunicator::all_gather(const void* send, void* receive, std::size_t count,
                                    DataType type) {
  const std::size_t bytes = count * size_of(type);
  const at::Tensor in = to_device(send, bytes);
  const at::Tensor out = device_buffer(bytes * ranks());
  device_->all_gather(in.const_data_ptr(), out.mutable_data_ptr(), count, type);
  to_host(out, receive, bytes * ranks());
}

void StagedCommunicator::reduce_scatter(const void* send, void* receive, std::size_t count,
                                        DataType type, ReduceOp op) {
  const std::size_t bytes = count * size_of(type);
  const at::Tensor in = to_device(send, bytes * ranks());
  const at::Tensor out = device_buffer(bytes);
  device_->reduce_scatter(in.const_data_ptr(), out.mutable_data_ptr(), count, type, op);
  to_host(out, receive, bytes);
}

void StagedCommunicator::all_to_all(const void* send, void* receive, std::size_t count,
                                    DataType type) {
  const std::size_t bytes = count * size_of(type) * ranks();
  const at::Tensor in = to_device(send, bytes);
  const at::Tensor out = device_buffer(bytes);
  device_->all_to_all(in.const_data_ptr(), out.mutable_data_ptr(), count, type);
  to_host(out, receive, bytes);
}

void StagedCommunicator::broadcast(void* data, std::size_t count, DataType type, int root) {
  const std::size_t bytes = count * size_of(type);
  const at::Tensor buffer = to_device(data, bytes);
  device_->broadcast(buffer.mutable_data_ptr(), count, type, root);
  to_host(buffer, data, bytes);
}

std::unique_ptr<Communicator> StagedCommunicator::split(int color, int key) {
  return std::make_unique<StagedCommunicator>(device_->split(color, key));
}

}  // namespace pretrain::testing
