#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <exception>

#include "core/communicator.h"

namespace pretrain {
namespace {

std::string describe(ncclResult_t result, ncclComm_t comm) {
  std::string text = concat(ncclGetErrorString(result), " (", ncclGetLastError(comm), ")");
  ncclResult_t earlier = ncclSuccess;
  if (comm != nullptr && ncclCommGetAsyncError(comm, &earlier) == ncclSuccess &&
      earlier != ncclSuccess) {
    text += concat(", after an earlier ", ncclGetErrorString(earlier));
  }
  return text;
}

void check(ncclResult_t result, const char* call, ncclComm_t comm) {
  if (result == ncclSuccess) return;
  fail(ExitCode::kLauncher, call, ": ", describe(result, comm),
       ". Set NCCL_DEBUG=INFO to see more");
}

ncclDataType_t nccl_type(DataType type) {
  switch (type) {
    case DataType::kU8:
      return ncclUint8;
    case DataType::kI32:
      return ncclInt32;
    case DataType::kI64:
      return ncclInt64;
    case DataType::kF32:
      return ncclFloat32;
    case DataType::kF64:
      return ncclFloat64;
    case DataType::kBF16:
      return ncclBfloat16;
  }
  fail(ExitCode::kInternal, "unknown data type ", static_cast<int>(type));
}

ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return ncclSum;
    case ReduceOp::kMax:
      return ncclMax;
    case ReduceOp::kMin:
      return ncclMin;
  }
  fail(ExitCode::kInternal, "unknown reduction ", static_cast<int>(op));
}

/// Communicator over NCCL, one GPU a rank. Device memory; calls are queued on the current stream of
/// the GPU and return at once, except barrier, which waits for the stream.
class NcclCommunicator : public Communicator {
 public:
  struct Options {
    void visit(OptionVisitor&) {}
  };

  NcclCommunicator(const Options&, const CommunicatorContext& context) : device_(context.device) {
    if (context.control == nullptr) {
      fail(ExitCode::kInternal, "nccl: needs a host-memory group to meet over");
    }
    Communicator& control = *context.control;
    agree(control, [&] {
      if (device_ < 0) {
        fail(ExitCode::kBadConfig, "parallel.backend: nccl needs a GPU a rank, got none. Set ",
             "parallel.backend=auto");
      }
      c10::cuda::set_device(static_cast<c10::DeviceIndex>(device_));
    });
    ncclUniqueId id{};
    agree(control, [&] {
      if (control.rank() == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId", nullptr);
    });
    control.broadcast(id.internal, sizeof(id.internal), DataType::kU8, 0);
    agree(control, [&] {
      check(ncclCommInitRank(&comm_, control.size(), id, control.rank()), "ncclCommInitRank",
            nullptr);
      adopt();
    });
  }

  ~NcclCommunicator() override {
    if (flag_ != nullptr) c10::cuda::CUDACachingAllocator::raw_delete(flag_);
    if (comm_ == nullptr) return;
    // Destroying waits for the peers, which a failing rank must not do.
    if (std::uncaught_exceptions() > 0) {
      ncclCommAbort(comm_);
    } else {
      ncclCommDestroy(comm_);
    }
  }
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  bool device_memory() const override { return true; }

  void all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) override {
    queued(ncclAllReduce(data, data, count, nccl_type(type), nccl_op(op), comm_, stream()),
           "ncclAllReduce");
  }
  void all_gather(const void* send, void* receive, std::size_t count, DataType type) override {
    queued(ncclAllGather(send, receive, count, nccl_type(type), comm_, stream()), "ncclAllGather");
  }
  void reduce_scatter(const void* send, void* receive, std::size_t count, DataType type,
                      ReduceOp op) override {
    queued(ncclReduceScatter(send, receive, count, nccl_type(type), nccl_op(op), comm_, stream()),
           "ncclReduceScatter");
  }
  void all_to_all(const void* send, void* receive, std::size_t count, DataType type) override {
    const std::size_t bytes = count * size_of(type);
    queued(ncclGroupStart(), "ncclGroupStart");
    for (int r = 0; r < size_; ++r) {
      const std::size_t at = static_cast<std::size_t>(r) * bytes;
      queued(ncclSend(static_cast<const std::byte*>(send) + at, count, nccl_type(type), r, comm_,
                      stream()),
             "ncclSend");
      queued(ncclRecv(static_cast<std::byte*>(receive) + at, count, nccl_type(type), r, comm_,
                      stream()),
             "ncclRecv");
    }
    queued(ncclGroupEnd(), "ncclGroupEnd");
  }
  void broadcast(void* data, std::size_t count, DataType type, int root) override {
    queued(ncclBroadcast(data, data, count, nccl_type(type), root, comm_, stream()),
           "ncclBroadcast");
  }
  // NCCL has none: the sum of one flag a rank is there when all ranks have come.
  void barrier() override {
    all_reduce(flag_, 1, DataType::kI32, ReduceOp::kMax);
    current_stream().synchronize();
    check_async("barrier");
  }
  std::unique_ptr<Communicator> split(int color, int key) override {
    std::unique_ptr<NcclCommunicator> child(new NcclCommunicator(device_));
    check(ncclCommSplit(comm_, color, key, &child->comm_, nullptr), "ncclCommSplit", comm_);
    child->adopt();
    return child;
  }

 private:
  explicit NcclCommunicator(int device) : device_(device) {}

  void adopt() {
    check(ncclCommUserRank(comm_, &rank_), "ncclCommUserRank", comm_);
    check(ncclCommCount(comm_, &size_), "ncclCommCount", comm_);
    flag_ = c10::cuda::CUDACachingAllocator::raw_alloc(sizeof(std::int32_t));
  }

  c10::cuda::CUDAStream current_stream() const {
    return c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device_));
  }
  cudaStream_t stream() const { return current_stream().stream(); }

  // A call that was accepted may follow one that has failed on the device since.
  void queued(ncclResult_t result, const char* call) const {
    check(result, call, comm_);
    check_async(call);
  }
  void check_async(const char* call) const {
    ncclResult_t earlier = ncclSuccess;
    check(ncclCommGetAsyncError(comm_, &earlier), "ncclCommGetAsyncError", comm_);
    check(earlier, call, comm_);
  }

  int device_;
  ncclComm_t comm_ = nullptr;
  int rank_ = 0;
  int size_ = 1;
  void* flag_ = nullptr;
};

const bool kRegistered = communicators().add<NcclCommunicator>("nccl");

}  // namespace
}  // namespace pretrain
