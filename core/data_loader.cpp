#include "core/data_loader.h"

#include <ATen/ops/empty.h>

#include <utility>

namespace pretrain {

Batch to_device(const Batch& batch, c10::Device device) {
  Batch moved = batch;
  moved.inputs = batch.inputs.to(device);
  moved.targets = batch.targets.to(device);
  return moved;
}

DataLoader::DataLoader(const Dataset& dataset, const SampleOrder& order, const Objective& objective,
                       const BatchLayout& layout, int rank, std::int64_t steps_ahead)
    : dataset_(dataset),
      order_(order),
      objective_(objective),
      layout_(layout),
      rank_(rank),
      steps_ahead_(static_cast<std::size_t>(steps_ahead)) {}

DataLoader::~DataLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DataLoader::start(std::int64_t step) {
  thread_ = std::thread([this, step] { read_ahead(step); });
}

std::vector<Batch> DataLoader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || failure_; });
  if (ready_.empty()) std::rethrow_exception(failure_);
  std::vector<Batch> step = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return step;
}

void DataLoader::read_ahead(std::int64_t step) {
  try {
    for (;; ++step) {
      std::vector<Batch> batches = read_step(step);
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ready_.size() < steps_ahead_ || stopping_; });
      if (stopping_) return;
      ready_.push_back(std::move(batches));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

std::vector<Batch> DataLoader::read_step(std::int64_t step) const {
  const auto positions = static_cast<std::uint64_t>(
      step * layout_.sequences() + rank_ * layout_.accumulation * layout_.micro_batch);
  std::vector<Batch> batches;
  std::uint64_t position = positions;
  for (std::int64_t micro = 0; micro < layout_.accumulation; ++micro) {
    TokenBatch tokens;
    tokens.tokens =
        at::empty({layout_.micro_batch, static_cast<std::int64_t>(dataset_.row_tokens())},
                  at::TensorOptions().dtype(at::kLong));
    auto* row = tokens.tokens.mutable_data_ptr<std::int64_t>();
    const std::size_t width = dataset_.row_tokens();
    for (std::int64_t i = 0; i < layout_.micro_batch; ++i, ++position, row += width) {
      dataset_.read(order_.row(position), {row, width});
      tokens.sample_ids.push_back(position);
    }
    batches.push_back(objective_.prepare(tokens));
  }
  return batches;
}

}  // namespace pretrain
