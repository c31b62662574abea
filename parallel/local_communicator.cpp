#include <cstring>

#include "core/communicator.h"

namespace pretrain {
namespace {

/// The world of one rank: what is sent is what is received. Host memory.
class LocalCommunicator : public Communicator {
 public:
  struct Options {
    void visit(OptionVisitor&) {}
  };
  LocalCommunicator(const Options&, const CommunicatorContext& context) {
    if (context.control != nullptr && context.control->size() != 1) {
      fail(ExitCode::kBadConfig, "parallel.backend: local serves 1 rank, got ",
           context.control->size(), ". Set parallel.backend=auto");
    }
  }

  int rank() const override { return 0; }
  int size() const override { return 1; }
  bool device_memory() const override { return false; }
  void all_reduce(void*, std::size_t, DataType, ReduceOp) override {}
  void all_gather(const void* send, void* receive, std::size_t count, DataType type) override {
    copy(send, receive, count, type);
  }
  void reduce_scatter(const void* send, void* receive, std::size_t count, DataType type,
                      ReduceOp) override {
    copy(send, receive, count, type);
  }
  void all_to_all(const void* send, void* receive, std::size_t count, DataType type) override {
    copy(send, receive, count, type);
  }
  void broadcast(void*, std::size_t, DataType, int) override {}
  void barrier() override {}
  std::unique_ptr<Communicator> split(int, int) override {
    return std::make_unique<LocalCommunicator>(Options{}, CommunicatorContext{});
  }

 private:
  static void copy(const void* send, void* receive, std::size_t count, DataType type) {
    if (count > 0) std::memcpy(receive, send, count * size_of(type));
  }
};

const bool kRegistered = communicators().add<LocalCommunicator>("local");

}  // namespace
}  // namespace pretrain
