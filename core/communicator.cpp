#include "core/communicator.h"

#include <algorithm>

namespace pretrain {

std::size_t size_of(DataType type) {
  switch (type) {
    case DataType::kU8:
      return 1;
    case DataType::kBF16:
      return 2;
    case DataType::kI32:
    case DataType::kF32:
      return 4;
    case DataType::kI64:
    case DataType::kF64:
      return 8;
  }
  fail(ExitCode::kInternal, "unknown data type ", static_cast<int>(type));
}

Registry<Communicator, CommunicatorContext>& communicators() {
  static Registry<Communicator, CommunicatorContext> registry("parallel.backend");
  return registry;
}

void all_reduce_sum(Communicator& group, std::span<double> values) {
  group.all_reduce(values.data(), values.size(), DataType::kF64, ReduceOp::kSum);
}

void all_reduce_max(Communicator& group, std::span<std::int64_t> values) {
  group.all_reduce(values.data(), values.size(), DataType::kI64, ReduceOp::kMax);
}

std::string broadcast_text(Communicator& group, const std::string& text, int root) {
  std::int64_t bytes = static_cast<std::int64_t>(text.size());
  group.broadcast(&bytes, 1, DataType::kI64, root);
  std::string copy = text;
  copy.resize(static_cast<std::size_t>(bytes));
  group.broadcast(copy.data(), copy.size(), DataType::kU8, root);
  return copy;
}

std::vector<std::string> all_gather_text(Communicator& group, const std::string& text) {
  const auto ranks = static_cast<std::size_t>(group.size());
  const std::int64_t bytes = static_cast<std::int64_t>(text.size());
  std::vector<std::int64_t> sizes(ranks);
  group.all_gather(&bytes, sizes.data(), 1, DataType::kI64);
  const auto longest = static_cast<std::size_t>(*std::max_element(sizes.begin(), sizes.end()));
  std::string padded = text;
  padded.resize(longest);
  std::string all(longest * ranks, '\0');
  group.all_gather(padded.data(), all.data(), longest, DataType::kU8);
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < ranks; ++r) {
    texts.push_back(all.substr(r * longest, static_cast<std::size_t>(sizes[r])));
  }
  return texts;
}

void throw_agreed(Communicator& group, int code, const std::string& message) {
  std::int64_t worst = code;
  group.all_reduce(&worst, 1, DataType::kI64, ReduceOp::kMax);
  if (worst == 0) return;
  const auto messages = all_gather_text(group, code == worst ? message : std::string());
  const auto has_failed = [](const std::string& text) { return !text.empty(); };
  const auto first = std::find_if(messages.begin(), messages.end(), has_failed);
  const bool all_failed = std::all_of(messages.begin(), messages.end(), has_failed);
  const auto worst_code = static_cast<ExitCode>(worst);
  if (first == messages.end()) throw AgreedError(worst_code, "a rank failed without a word");
  const std::string place = all_failed ? "" : concat("rank ", first - messages.begin(), ": ");
  throw AgreedError(worst_code, place + *first);
}

}  // namespace pretrain
