#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/registry.h"

namespace pretrain {

enum class DataType { kU8, kI32, kI64, kF32, kF64, kBF16 };
/// Bytes of one element.
std::size_t size_of(DataType type);

enum class ReduceOp { kSum, kMax, kMin };

/// A group of ranks and the collectives over it. Every rank of the group must make the same calls
/// in the same order with the same counts. Counts are in elements. Buffers belong to the caller
/// and may not overlap unless a call says so; on return they may be used (host memory) or are
/// ordered on the current stream (device memory). A failed collective throws Error(kLauncher).
/// Not thread-safe: one thread of a rank uses it at a time.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// True if buffers must lie in the memory of this rank's GPU, false if in host memory.
  virtual bool device_memory() const = 0;

  /// data[count] becomes the reduction over ranks, the same bits on all of them.
  virtual void all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) = 0;
  /// receive[size * count] = the ranks' send[count], in rank order.
  virtual void all_gather(const void* send, void* receive, std::size_t count, DataType type) = 0;
  /// receive[count] = part `rank` of the reduction of send[size * count].
  virtual void reduce_scatter(const void* send, void* receive, std::size_t count, DataType type,
                              ReduceOp op) = 0;
  /// receive block r = block `rank` of rank r's send; both hold size * count elements.
  virtual void all_to_all(const void* send, void* receive, std::size_t count, DataType type) = 0;
  /// data[count] of rank `root` is copied to all.
  virtual void broadcast(void* data, std::size_t count, DataType type, int root) = 0;
  virtual void barrier() = 0;
  /// Ranks with equal `color` (>= 0) form a group, ordered by `key`, then by rank. Collective.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;
};

/// What a communicator may need to come into being.
struct CommunicatorContext {
  Communicator* control = nullptr;  ///< host-memory group of the same ranks; null for the first one
  int device = -1;                  ///< GPU of this rank; -1: none
};

/// Implementations of Communicator, chosen by `parallel.backend`.
Registry<Communicator, CommunicatorContext>& communicators();

/// Conveniences for host-memory groups. All are collective.
void all_reduce_sum(Communicator& group, std::span<double> values);
void all_reduce_max(Communicator& group, std::span<std::int64_t> values);
/// The text of rank `root`, on all ranks.
std::string broadcast_text(Communicator& group, const std::string& text, int root = 0);
/// The ranks' texts in rank order, on all ranks.
std::vector<std::string> all_gather_text(Communicator& group, const std::string& text);
/// An Error that all ranks of a group throw at the same point. Where that group is the world, rank
/// 0 speaks for all and they leave together; any other exception is one rank's alone and ends the
/// job.
class AgreedError : public Error {
 public:
  using Error::Error;
};
/// If any rank gives a code other than 0, all throw the AgreedError of the largest; see agree().
void throw_agreed(Communicator& group, int code, const std::string& message);
/// Runs `stage()` on every rank and lets all ranks leave together: if it threw on any, all throw
/// the AgreedError with the largest exit code (ties: lowest rank). The message is prefixed "rank N:
/// " unless every rank failed with that code; rank 0 then speaks for all. `stage` may not call
/// collectives that a failing rank would miss.
template <class Stage>
void agree(Communicator& group, Stage&& stage) {
  int code = 0;
  std::string message;
  try {
    stage();
  } catch (const std::exception& caught) {
    const Error error = as_error(caught);
    code = static_cast<int>(error.code());
    message = error.what();
  }
  throw_agreed(group, code, message);
}

}  // namespace pretrain
