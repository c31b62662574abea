#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/communicator.h"

namespace pretrain::testing {

/// Communicator over the threads of one process, for tests. Host memory. Reductions are done in
/// rank order in double (bf16: one rounding at the end), so results are deterministic.
/// Ranks that make different calls get Error(kLauncher), as do ranks waiting for one that has left.
class ThreadCommunicator : public Communicator {
 public:
  /// Element r is rank r of one group; use each from its own thread. Destroying an element means
  /// the rank has left: the others' calls that wait for it fail instead of waiting for ever.
  static std::vector<std::unique_ptr<Communicator>> make_group(int size);

  ~ThreadCommunicator() override;
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(members_.size()); }
  bool device_memory() const override { return false; }
  void all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) override;
  void all_gather(const void* send, void* receive, std::size_t count, DataType type) override;
  void reduce_scatter(const void* send, void* receive, std::size_t count, DataType type,
                      ReduceOp op) override;
  void all_to_all(const void* send, void* receive, std::size_t count, DataType type) override;
  void broadcast(void* data, std::size_t count, DataType type, int root) override;
  void barrier() override;
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  struct World;
  struct Group;
  struct Call;
  ThreadCommunicator(std::shared_ptr<World> world, std::shared_ptr<Group> group,
                     std::vector<int> members, int rank, bool owns_rank);
  void meet();
  void begin(const Call& call);
  const std::byte* sent(int rank) const;

  std::shared_ptr<World> world_;
  std::shared_ptr<Group> group_;
  std::vector<int> members_;  // rank in the world of each rank of this group
  int rank_;
  bool owns_rank_;
};

/// Runs `body` on `size` ranks of one group, one thread a rank, waits for all and rethrows the
/// exception that was thrown first, if any.
void run_ranks(int size, const std::function<void(Communicator&)>& body);

}  // namespace pretrain::testing
