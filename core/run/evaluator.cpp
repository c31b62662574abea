#include "core/run/evaluator.h"

#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "core/batch_reader.h"
#include "core/data_loader.h"

namespace pretrain {

double EvaluationResult::loss() const {
  std::vector<LossTerm> own;
  std::vector<double> targets;
  for (const EvaluationTerm& part : terms) {
    own.push_back(part.term);
    targets.push_back(part.targets);
  }
  const std::vector<double> factors = term_factors(own, targets.data());
  double loss = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (targets[i] > 0) loss += factors[i] * terms[i].nats;
  }
  return loss;
}

std::map<std::string, double> EvaluationResult::parts() const {
  std::map<std::string, double> parts;
  for (const EvaluationTerm& part : terms) {
    if (part.targets > 0) parts[part.term.name] = part.nats / part.targets;
  }
  return parts;
}

std::optional<double> EvaluationResult::bits_per_byte() const {
  if (!bytes || !is_likelihood) return std::nullopt;
  return terms.front().nats / std::numbers::ln2 / *bytes;
}

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
  const std::vector<LossTerm>& terms = objective_.terms();
  std::vector<double> mine(2 * terms.size());  // nats and targets of each
  for (std::uint64_t round = 0; round * ranks < batches; ++round) {
    const std::uint64_t index = round * ranks + static_cast<std::uint64_t>(control_.rank());
    if (index < batches) {
      const std::uint64_t first = std::min(index * batch, full);
      const std::uint64_t count = first < full ? std::min(batch, full - first) : 1;
      const Batch rows = read_rows(*set.dataset, first, count);
      const std::vector<at::Tensor> losses = objective_.loss(to_device(rows, device));
      for (std::size_t i = 0; i < terms.size(); ++i) {
        mine[2 * i] += losses[i].item<double>();
        mine[2 * i + 1] += static_cast<double>(rows.counts[i]);
      }
    }
    FlagsRecord flags;
    flags.step = round;
    flags.stop_request = static_cast<std::uint8_t>(stop_request());
    if (exchange(control_, flags).stop_request != 0) return std::nullopt;
  }
  std::vector<double> all(mine.size() * static_cast<std::size_t>(ranks));
  control_.all_gather(mine.data(), all.data(), mine.size(), DataType::kF64);
  EvaluationResult result;
  result.set = set.name;
  for (const LossTerm& term : terms) result.terms.push_back({term});
  for (std::size_t i = 0; i < all.size(); i += 2) {
    EvaluationTerm& part = result.terms[i / 2 % terms.size()];
    part.nats += all[i];
    part.targets += all[i + 1];
  }
  if (set.lossless) result.bytes = set.dataset->bytes();
  result.is_likelihood = objective_.is_likelihood();
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
    // The row half a set away is from another place of the text; a set of two rows or fewer has
    // none that is surely whole but the first.
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
