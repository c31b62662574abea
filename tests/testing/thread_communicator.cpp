#include "tests/testing/thread_communicator.h"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>

#include "core/base/error.h"

namespace pretrain::testing {

// What all groups that descend from one make_group share: one lock, and who has left.
struct ThreadCommunicator::World {
  explicit World(int size) : left(static_cast<std::size_t>(size), false) {}
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<bool> left;
};

// What a rank wants; `signature` must be the same on all ranks.
struct ThreadCommunicator::Call {
  std::string signature;
  const void* send = nullptr;
  int color = 0;
  int key = 0;
};

struct ThreadCommunicator::Group {
  explicit Group(std::size_t size) : calls(size) {}
  std::vector<Call> calls;
  std::size_t arrived = 0;
  std::uint64_t meetings = 0;
  std::map<int, std::shared_ptr<Group>> children;  // by color, during a split
};

namespace {

template <class T>
double load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(value);
}

double load_bf16(const std::byte* at) {
  std::uint16_t upper;
  std::memcpy(&upper, at, sizeof(upper));
  return static_cast<double>(std::bit_cast<float>(std::uint32_t{upper} << 16));
}

// Rounds to nearest even.
void store_bf16(double value, std::byte* at) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  const bool is_nan = value != value;
  bits = is_nan ? 0x7FC00000u : bits + 0x7FFFu + ((bits >> 16) & 1u);
  const auto upper = static_cast<std::uint16_t>(bits >> 16);
  std::memcpy(at, &upper, sizeof(upper));
}

template <class T>
T combine(T a, T b, ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return static_cast<T>(a + b);
    case ReduceOp::kMax:
      return std::max(a, b);
    case ReduceOp::kMin:
      return std::min(a, b);
  }
  return a;
}

// Integers are combined as 64-bit integers, which double could not hold.
template <class T>
void reduce_integers(const std::vector<const std::byte*>& parts, std::byte* out, std::size_t count,
                     ReduceOp op) {
  for (std::size_t i = 0; i < count; ++i) {
    T result;
    std::memcpy(&result, parts[0] + i * sizeof(T), sizeof(T));
    for (std::size_t p = 1; p < parts.size(); ++p) {
      T value;
      std::memcpy(&value, parts[p] + i * sizeof(T), sizeof(T));
      result = combine(result, value, op);
    }
    std::memcpy(out + i * sizeof(T), &result, sizeof(T));
  }
}

template <class Load, class Store>
void reduce_floats(const std::vector<const std::byte*>& parts, std::byte* out, std::size_t count,
                   std::size_t width, ReduceOp op, Load load_at, Store store_at) {
  for (std::size_t i = 0; i < count; ++i) {
    double result = load_at(parts[0] + i * width);
    for (std::size_t p = 1; p < parts.size(); ++p) {
      result = combine(result, load_at(parts[p] + i * width), op);
    }
    store_at(result, out + i * width);
  }
}

std::vector<std::byte> reduce(const std::vector<const std::byte*>& parts, std::size_t count,
                              DataType type, ReduceOp op) {
  std::vector<std::byte> out(count * size_of(type));
  const auto store_f32 = [](double value, std::byte* at) {
    const float narrow = static_cast<float>(value);
    std::memcpy(at, &narrow, sizeof(narrow));
  };
  const auto store_f64 = [](double value, std::byte* at) {
    std::memcpy(at, &value, sizeof(value));
  };
  switch (type) {
    case DataType::kU8:
      reduce_integers<std::uint8_t>(parts, out.data(), count, op);
      break;
    case DataType::kI32:
      reduce_integers<std::int32_t>(parts, out.data(), count, op);
      break;
    case DataType::kI64:
      reduce_integers<std::int64_t>(parts, out.data(), count, op);
      break;
    case DataType::kF32:
      reduce_floats(parts, out.data(), count, 4, op, load<float>, store_f32);
      break;
    case DataType::kF64:
      reduce_floats(parts, out.data(), count, 8, op, load<double>, store_f64);
      break;
    case DataType::kBF16:
      reduce_floats(parts, out.data(), count, 2, op, load_bf16, store_bf16);
      break;
  }
  return out;
}

template <class... Parts>
std::string signature(const char* name, Parts... parts) {
  return (concat(name) + ... + concat(" ", static_cast<std::int64_t>(parts)));
}

// An empty vector's data() may be null, which memcpy may not be given.
void copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

}  // namespace

ThreadCommunicator::ThreadCommunicator(std::shared_ptr<World> world, std::shared_ptr<Group> group,
                                       std::vector<int> members, int rank, bool owns_rank)
    : world_(std::move(world)),
      group_(std::move(group)),
      members_(std::move(members)),
      rank_(rank),
      owns_rank_(owns_rank) {}

ThreadCommunicator::~ThreadCommunicator() {
  if (!owns_rank_) return;
  const std::lock_guard lock(world_->mutex);
  world_->left[static_cast<std::size_t>(members_[static_cast<std::size_t>(rank_)])] = true;
  world_->changed.notify_all();
}

std::vector<std::unique_ptr<Communicator>> ThreadCommunicator::make_group(int size) {
  const auto world = std::make_shared<World>(size);
  const auto group = std::make_shared<Group>(static_cast<std::size_t>(size));
  std::vector<int> members;
  for (int r = 0; r < size; ++r) members.push_back(r);
  std::vector<std::unique_ptr<Communicator>> ranks;
  for (int r = 0; r < size; ++r) {
    ranks.emplace_back(new ThreadCommunicator(world, group, members, r, true));
  }
  return ranks;
}

// Waits until every rank of the group is here.
void ThreadCommunicator::meet() {
  std::unique_lock lock(world_->mutex);
  const std::uint64_t meeting = group_->meetings;
  if (++group_->arrived == members_.size()) {
    group_->arrived = 0;
    ++group_->meetings;
    world_->changed.notify_all();
    return;
  }
  const auto has_left = [&](int member) { return world_->left[static_cast<std::size_t>(member)]; };
  world_->changed.wait(lock, [&] {
    return group_->meetings != meeting || std::any_of(members_.begin(), members_.end(), has_left);
  });
  if (group_->meetings == meeting) {
    fail(ExitCode::kLauncher, "rank ", rank_, " waits for a rank that has left the group");
  }
}

// Publishes the call, waits for the others' and compares.
void ThreadCommunicator::begin(const Call& call) {
  group_->calls[static_cast<std::size_t>(rank_)] = call;
  meet();
  for (const Call& other : group_->calls) {
    if (other.signature != call.signature) {
      fail(ExitCode::kLauncher, "ranks make different calls: ", call.signature, " and ",
           other.signature);
    }
  }
}

const std::byte* ThreadCommunicator::sent(int rank) const {
  return static_cast<const std::byte*>(group_->calls[static_cast<std::size_t>(rank)].send);
}

void ThreadCommunicator::all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) {
  begin({signature("all_reduce", count, type, op), data});
  std::vector<const std::byte*> parts;
  for (int r = 0; r < size(); ++r) parts.push_back(sent(r));
  const auto result = reduce(parts, count, type, op);
  meet();  // nobody reads `data` any more
  copy(data, result.data(), result.size());
}

void ThreadCommunicator::all_gather(const void* send, void* receive, std::size_t count,
                                    DataType type) {
  begin({signature("all_gather", count, type), send});
  const std::size_t bytes = count * size_of(type);
  for (int r = 0; r < size(); ++r) {
    copy(static_cast<std::byte*>(receive) + static_cast<std::size_t>(r) * bytes, sent(r), bytes);
  }
  meet();
}

void ThreadCommunicator::reduce_scatter(const void* send, void* receive, std::size_t count,
                                        DataType type, ReduceOp op) {
  begin({signature("reduce_scatter", count, type, op), send});
  const std::size_t offset = static_cast<std::size_t>(rank_) * count * size_of(type);
  std::vector<const std::byte*> parts;
  for (int r = 0; r < size(); ++r) parts.push_back(sent(r) + offset);
  const auto result = reduce(parts, count, type, op);
  copy(receive, result.data(), result.size());
  meet();
}

void ThreadCommunicator::all_to_all(const void* send, void* receive, std::size_t count,
                                    DataType type) {
  begin({signature("all_to_all", count, type), send});
  const std::size_t bytes = count * size_of(type);
  for (int r = 0; r < size(); ++r) {
    copy(static_cast<std::byte*>(receive) + static_cast<std::size_t>(r) * bytes,
         sent(r) + static_cast<std::size_t>(rank_) * bytes, bytes);
  }
  meet();
}

void ThreadCommunicator::broadcast(void* data, std::size_t count, DataType type, int root) {
  begin({signature("broadcast", count, type, root), data});
  if (rank_ != root) copy(data, sent(root), count * size_of(type));
  meet();
}

void ThreadCommunicator::barrier() {
  begin({signature("barrier")});
  meet();
}

std::unique_ptr<Communicator> ThreadCommunicator::split(int color, int key) {
  begin({signature("split"), nullptr, color, key});
  std::vector<std::tuple<int, int>> chosen;  // (key, rank)
  for (int r = 0; r < size(); ++r) {
    const Call& call = group_->calls[static_cast<std::size_t>(r)];
    if (call.color == color) chosen.emplace_back(call.key, r);
  }
  std::sort(chosen.begin(), chosen.end());
  std::vector<int> members;
  int rank_in_child = 0;
  for (const auto& [unused_key, r] : chosen) {
    if (r == rank_) rank_in_child = static_cast<int>(members.size());
    members.push_back(members_[static_cast<std::size_t>(r)]);
  }
  std::shared_ptr<Group> child;
  {
    const std::lock_guard lock(world_->mutex);
    auto& slot = group_->children[color];
    if (!slot) slot = std::make_shared<Group>(members.size());
    child = slot;
  }
  meet();
  {
    // Every rank has its child: a later split must make new ones.
    const std::lock_guard lock(world_->mutex);
    group_->children.erase(color);
  }
  meet();
  return std::unique_ptr<Communicator>(
      new ThreadCommunicator(world_, child, std::move(members), rank_in_child, false));
}

void run_ranks(int size, const std::function<void(Communicator&)>& body) {
  auto ranks = ThreadCommunicator::make_group(size);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (auto& rank : ranks) {
    threads.emplace_back([&, communicator = std::move(rank)]() mutable {
      try {
        body(*communicator);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
      communicator.reset();  // after the exception is noted, so that its consequences come later
    });
  }
  for (auto& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace pretrain::testing
