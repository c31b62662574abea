#include "tests/parallel/communicator_conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "core/base/digest.h"
#include "core/base/random.h"

namespace pretrain::testing {
namespace {

using Bytes = std::vector<std::byte>;

constexpr DataType kTypes[] = {DataType::kU8,  DataType::kI32, DataType::kI64,
                               DataType::kF32, DataType::kF64, DataType::kBF16};
constexpr ReduceOp kOps[] = {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin};
constexpr std::size_t kLarge = (1u << 20) + 3;
// 4,099 is beyond what backends send as one small message; the large count is tried once a width.
constexpr std::size_t kCounts[] = {0, 1, 7, 4099};

std::vector<std::size_t> counts_for(DataType type) {
  std::vector<std::size_t> counts(std::begin(kCounts), std::end(kCounts));
  if (type == DataType::kF32 || type == DataType::kBF16) counts.push_back(kLarge);
  return counts;
}

template <class T>
T get(const Bytes& data, std::size_t i) {
  T value;
  std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
  return value;
}

double real_at(const Bytes& data, DataType type, std::size_t i) {
  switch (type) {
    case DataType::kF32:
      return static_cast<double>(get<float>(data, i));
    case DataType::kF64:
      return get<double>(data, i);
    case DataType::kBF16: {
      const auto upper = get<std::uint16_t>(data, i);
      return static_cast<double>(std::bit_cast<float>(std::uint32_t{upper} << 16));
    }
    default:
      ADD_FAILURE() << "not a floating-point type";
      return 0;
  }
}

std::int64_t integer_at(const Bytes& data, DataType type, std::size_t i) {
  switch (type) {
    case DataType::kU8:
      return get<std::uint8_t>(data, i);
    case DataType::kI32:
      return get<std::int32_t>(data, i);
    case DataType::kI64:
      return get<std::int64_t>(data, i);
    default:
      ADD_FAILURE() << "not an integer type";
      return 0;
  }
}

bool is_real(DataType type) {
  return type == DataType::kF32 || type == DataType::kF64 || type == DataType::kBF16;
}

// What rank `rank` contributes: any rank can compute it. Small enough for sums not to overflow.
Bytes contribution(int rank, std::size_t count, DataType type) {
  const std::size_t width = size_of(type);
  Bytes data(count * width);
  RandomStream random(42, RandomPurpose::kTest,
                      static_cast<std::uint64_t>(rank) * 16 + static_cast<std::uint64_t>(type));
  for (std::size_t i = 0; i < count; ++i) {
    std::byte* at = data.data() + i * width;
    const std::uint32_t draw = random.next_u32();
    const float real = (static_cast<float>(draw >> 8) * 0x1p-23f - 1.0f);
    const auto store = [&](auto value) { std::memcpy(at, &value, sizeof(value)); };
    switch (type) {
      case DataType::kU8:
        store(static_cast<std::uint8_t>(draw % 60));
        break;
      case DataType::kI32:
        store(static_cast<std::int32_t>(draw % 2'000'000) - 1'000'000);
        break;
      case DataType::kI64:
        store((std::int64_t{draw} << 20) - (std::int64_t{1} << 51));
        break;
      case DataType::kF32:
        store(real);
        break;
      case DataType::kF64:
        store(static_cast<double>(real) * 1.000000001);
        break;
      case DataType::kBF16:
        store(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(real) >> 16));
        break;
    }
  }
  return data;
}

template <class T>
T combined(const std::vector<T>& values, ReduceOp op) {
  if (op == ReduceOp::kMax) return *std::max_element(values.begin(), values.end());
  if (op == ReduceOp::kMin) return *std::min_element(values.begin(), values.end());
  T sum{};
  for (const T& value : values) sum += value;
  return sum;
}

// Relative to the sum of magnitudes: one rounding a rank, in the element's precision.
double tolerance(DataType type, std::size_t ranks) {
  const double roundings = static_cast<double>(ranks);
  if (type == DataType::kBF16) return roundings * 0x1p-8;
  return roundings * (type == DataType::kF32 ? 0x1p-24 : 0x1p-53);
}

// The first element of `result` that is not the reduction of the inputs; -1 if none.
std::int64_t first_wrong(const std::vector<Bytes>& inputs, std::size_t offset, const Bytes& result,
                         std::size_t count, DataType type, ReduceOp op) {
  for (std::size_t i = 0; i < count; ++i) {
    bool right = false;
    if (is_real(type)) {
      std::vector<double> values;
      double magnitude = 0;
      for (const Bytes& input : inputs) {
        values.push_back(real_at(input, type, offset + i));
        magnitude += std::abs(values.back());
      }
      const double error = std::abs(real_at(result, type, i) - combined(values, op));
      const double allowed =
          op == ReduceOp::kSum ? tolerance(type, inputs.size()) * magnitude : 0.0;
      right = inputs.size() == 1 ? error == 0 : error <= allowed;
    } else {
      std::vector<std::int64_t> values;
      for (const Bytes& input : inputs) values.push_back(integer_at(input, type, offset + i));
      right = integer_at(result, type, i) == combined(values, op);
    }
    if (!right) return static_cast<std::int64_t>(i);
  }
  return -1;
}

std::string label(DataType type, std::size_t count) {
  return concat("type ", static_cast<int>(type), " count ", count);
}

void expect_same_on_all(Communicator& group, const Bytes& data, const std::string& what) {
  const auto digests = all_gather_text(group, xxh3_128_hex(data));
  for (const std::string& digest : digests) EXPECT_EQ(digest, digests[0]) << what;
}

std::vector<Bytes> contributions(Communicator& group, std::size_t count, DataType type) {
  std::vector<Bytes> all;
  for (int r = 0; r < group.size(); ++r) all.push_back(contribution(r, count, type));
  return all;
}

std::size_t own(Communicator& group) { return static_cast<std::size_t>(group.rank()); }
std::size_t ranks(Communicator& group) { return static_cast<std::size_t>(group.size()); }

void check_all_reduce(Communicator& group) {
  for (const DataType type : kTypes) {
    for (const std::size_t count : counts_for(type)) {
      const auto inputs = contributions(group, count, type);
      for (const ReduceOp op : kOps) {
        Bytes data = inputs[own(group)];
        group.all_reduce(data.data(), count, type, op);
        EXPECT_EQ(first_wrong(inputs, 0, data, count, type, op), -1) << label(type, count);
        expect_same_on_all(group, data, label(type, count));
        if (count == kLarge) break;
      }
    }
  }
}

void check_reduce_scatter(Communicator& group) {
  for (const DataType type : kTypes) {
    for (const std::size_t count : counts_for(type)) {
      const auto inputs = contributions(group, count * ranks(group), type);
      for (const ReduceOp op : kOps) {
        Bytes part(count * size_of(type));
        group.reduce_scatter(inputs[own(group)].data(), part.data(), count, type, op);
        EXPECT_EQ(first_wrong(inputs, own(group) * count, part, count, type, op), -1)
            << label(type, count);
        if (count == kLarge) break;
      }
    }
  }
}

void check_all_gather(Communicator& group) {
  for (const DataType type : kTypes) {
    for (const std::size_t count : counts_for(type)) {
      const auto inputs = contributions(group, count, type);
      Bytes expected;
      for (const Bytes& input : inputs) expected.insert(expected.end(), input.begin(), input.end());
      Bytes received(expected.size());
      group.all_gather(inputs[own(group)].data(), received.data(), count, type);
      EXPECT_TRUE(received == expected) << label(type, count);
    }
  }
}

void check_all_to_all(Communicator& group) {
  for (const DataType type : kTypes) {
    for (const std::size_t count : counts_for(type)) {
      const auto inputs = contributions(group, count * ranks(group), type);
      const std::size_t bytes = count * size_of(type);
      Bytes expected;
      for (const Bytes& input : inputs) {
        const auto block = input.begin() + static_cast<std::ptrdiff_t>(own(group) * bytes);
        expected.insert(expected.end(), block, block + static_cast<std::ptrdiff_t>(bytes));
      }
      Bytes received(expected.size());
      group.all_to_all(inputs[own(group)].data(), received.data(), count, type);
      EXPECT_TRUE(received == expected) << label(type, count);
    }
  }
}

void check_broadcast(Communicator& group) {
  for (const DataType type : kTypes) {
    for (const std::size_t count : counts_for(type)) {
      for (int root = 0; root < group.size(); ++root) {
        Bytes data = contribution(group.rank(), count, type);
        group.broadcast(data.data(), count, type, root);
        EXPECT_TRUE(data == contribution(root, count, type)) << label(type, count);
      }
    }
  }
}

// Signed zeros, infinities and the largest numbers are reduced like any others.
void check_special_values(Communicator& group) {
  const double kInfinity = std::numeric_limits<double>::infinity();
  const bool first = group.rank() == 0;
  std::vector<double> sums = {first ? kInfinity : 1.0, first ? -kInfinity : 1.0, -0.0};
  group.all_reduce(sums.data(), sums.size(), DataType::kF64, ReduceOp::kSum);
  EXPECT_EQ(sums, (std::vector<double>{kInfinity, -kInfinity, -0.0}));
  std::vector<float> poisoned = {first ? std::numeric_limits<float>::quiet_NaN() : 1.0f};
  group.all_reduce(poisoned.data(), 1, DataType::kF32, ReduceOp::kSum);
  EXPECT_TRUE(std::isnan(poisoned[0]));
  std::vector<std::int64_t> extremes = {std::numeric_limits<std::int64_t>::min() + group.rank()};
  group.all_reduce(extremes.data(), 1, DataType::kI64, ReduceOp::kMin);
  EXPECT_EQ(extremes[0], std::numeric_limits<std::int64_t>::min());
}

// No rank leaves before the last has come. All ranks of one machine read the same clock.
void check_barrier(Communicator& group) {
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  for (int late = 0; late < group.size(); ++late) {
    if (group.rank() == late) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::int64_t come = now();
    group.barrier();
    const std::int64_t gone = now();
    std::vector<std::int64_t> times(2 * ranks(group));
    const std::int64_t mine[2] = {come, gone};
    group.all_gather(mine, times.data(), 2, DataType::kI64);
    for (std::size_t r = 0; r < ranks(group); ++r) EXPECT_GE(gone, times[2 * r]);
  }
}

// The members of `child` by their rank in `parent`.
std::vector<std::int64_t> members(Communicator& parent, Communicator& child) {
  const std::int64_t rank = parent.rank();
  std::vector<std::int64_t> ranks_in_parent(static_cast<std::size_t>(child.size()));
  child.all_gather(&rank, ranks_in_parent.data(), 1, DataType::kI64);
  return ranks_in_parent;
}

void check_split(Communicator& group) {
  // Odd and even ranks apart, the order of ranks reversed.
  const auto half = group.split(group.rank() % 2, -group.rank());
  std::vector<std::int64_t> expected;
  for (int r = group.size() - 1; r >= 0; --r) {
    if (r % 2 == group.rank() % 2) expected.push_back(r);
  }
  EXPECT_EQ(members(group, *half), expected);
  EXPECT_EQ(half->size(), static_cast<int>(expected.size()));
  EXPECT_EQ(expected[static_cast<std::size_t>(half->rank())], group.rank());

  // Equal keys keep the order of ranks; groups of a group; groups of one.
  const auto whole = group.split(7, 0);
  EXPECT_EQ(whole->rank(), group.rank());
  EXPECT_EQ(whole->size(), group.size());
  const auto alone = half->split(half->rank(), 0);
  EXPECT_EQ(members(group, *alone), (std::vector<std::int64_t>{group.rank()}));

  // Groups do not see each other's data, even if they work at the same time.
  double sum = group.rank() + 1;
  half->all_reduce(&sum, 1, DataType::kF64, ReduceOp::kSum);
  double expected_sum = 0;
  for (const std::int64_t r : expected) expected_sum += static_cast<double>(r + 1);
  EXPECT_EQ(sum, expected_sum);
  check_reduce_scatter(*half);
}

}  // namespace

const std::vector<CommunicatorCheck>& communicator_conformance() {
  static const std::vector<CommunicatorCheck> checks = {
      {"all_reduce", check_all_reduce}, {"reduce_scatter", check_reduce_scatter},
      {"all_gather", check_all_gather}, {"all_to_all", check_all_to_all},
      {"broadcast", check_broadcast},   {"special_values", check_special_values},
      {"barrier", check_barrier},       {"split", check_split},
  };
  return checks;
}

}  // namespace pretrain::testing
