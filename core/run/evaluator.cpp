#include "core/run/evaluator.h"

#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "core/data_loader.h"

namespace pretrain {

Evaluator::Evaluator(Objective& objective, Communicator& control, std::vector<EvaluationSet> sets,
                     std::int64_t micro_batch)
    : objective_(objective), control_(control), sets_(std::move(sets)), micro_batch_(micro_batch) {}

std::optional<std::vector<EvaluationResult>> Evaluator::evaluate(
    const std::function<StopRequest()>& stop_request) {
  const c10::AutoGradMode no_grad(false);
  objective_.eval();
  std::vector<EvaluationResult> results;
  for (const EvaluationSet& set : sets_) {
    const auto result = evaluate_set(set, stop_request);
    if (!result) break;
    results.push_back(*result);
  }
  objective_.train();
  if (results.size() != sets_.size()) return std::nullopt;
  return results;
}

// All ranks go through the same number of rounds, because each ends with a decision of all.
std::optional<EvaluationResult> Evaluator::evaluate_set(
    const EvaluationSet& set, const std::function<StopRequest()>& stop_request) {
  const auto start = std::chrono::steady_clock::now();
  const auto batch = static_cast<std::uint64_t>(micro_batch_);
  const auto ranks = static_cast<std::uint64_t>(control_.size());
  // Rows of one batch have one length, so a shorter last row is a batch of its own.
  const std::uint64_t size = set.dataset->size();
  const bool short_row = set.dataset->row_targets(size - 1) != set.dataset->row_targets(0);
  const std::uint64_t full = size - (short_row ? 1 : 0);
  const std::uint64_t batches = (full + batch - 1) / batch + (short_row ? 1 : 0);
  const auto device = objective_.parameters().front().device();
  double nats = 0;
  double targets = 0;
  for (std::uint64_t round = 0; round * ranks < batches; ++round) {
    const std::uint64_t index = round * ranks + static_cast<std::uint64_t>(control_.rank());
    if (index < batches) {
      const std::uint64_t first = std::min(index * batch, full);
      const std::uint64_t count = first < full ? std::min(batch, full - first) : 1;
      const Batch rows = read_rows(*set.dataset, first, count);
      nats += objective_.loss(to_device(rows, device)).front().item<double>();
      targets += static_cast<double>(rows.counts.front());
    }
    FlagsRecord flags;
    flags.step = round;
    flags.stop_request = static_cast<std::uint8_t>(stop_request());
    if (exchange(control_, flags).stop_request != 0) return std::nullopt;
  }
  std::vector<double> sums(2 * static_cast<std::size_t>(ranks));
  const double mine[2] = {nats, targets};
  control_.all_gather(mine, sums.data(), 2, DataType::kF64);
  EvaluationResult result;
  result.set = set.name;
  double total_targets = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(ranks); ++r) {
    result.nats += sums[2 * r];
    total_targets += sums[2 * r + 1];
  }
  result.targets = static_cast<std::uint64_t>(total_targets);
  result.bytes = set.dataset->bytes();
  result.is_likelihood = objective_.is_likelihood();
  if (result.bytes && result.is_likelihood) {
    result.bits_per_byte = result.nats / std::numbers::ln2 / *result.bytes;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

Batch Evaluator::read_rows(const EvaluationDataset& dataset, std::uint64_t first,
                           std::uint64_t count) const {
  const std::size_t width = dataset.row_tokens(first);
  TokenBatch tokens;
  tokens.tokens = empty_rows(static_cast<std::int64_t>(count), static_cast<std::int64_t>(width));
  auto* row = tokens.tokens.mutable_data_ptr<std::int64_t>();
  for (std::uint64_t i = 0; i < count; ++i, row += width) {
    dataset.read(first + i, {row, width});
    tokens.sample_ids.push_back(first + i);
  }
  tokens.row_ids = tokens.sample_ids;
  tokens.epochs.assign(count, 0);
  if (objective_.needs_others()) {
    // The row half a set away is from another place of the text.
    std::vector<std::int64_t> whole(dataset.row_tokens(0));
    tokens.others = at::empty_like(tokens.tokens);
    row = tokens.others.mutable_data_ptr<std::int64_t>();
    for (const std::uint64_t id : tokens.sample_ids) {
      const std::uint64_t other =
          (id + dataset.size() / 2) % std::max<std::uint64_t>(1, dataset.size() - 1);
      dataset.read(other, whole);
      row = std::copy_n(whole.begin(), width, row);
    }
  }
  return objective_.prepare(tokens);
}

}  // namespace pretrain
