#include "core/data_loader.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <utility>

namespace pretrain {

Batch to_device(const Batch& batch, c10::Device device) {
  if (device.is_cpu()) return batch;
  Batch moved = batch;
  for (at::Tensor* tensor : {&moved.inputs.tokens, &moved.inputs.segments, &moved.decoder.tokens,
                             &moved.target_rows, &moved.targets, &moved.noise, &moved.labels}) {
    if (tensor->defined()) *tensor = tensor->to(device);
  }
  for (Batch& part : moved.parts) part = to_device(part, device);
  return moved;
}

at::Tensor empty_rows(std::int64_t rows, std::int64_t width) {
  return at::empty({rows, width}, at::TensorOptions().dtype(at::kLong));
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
    const std::size_t width = dataset_.row_tokens();
    tokens.tokens = empty_rows(layout_.micro_batch, static_cast<std::int64_t>(width));
    auto* row = tokens.tokens.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < layout_.micro_batch; ++i, ++position, row += width) {
      tokens.sample_ids.push_back(position);
      tokens.row_ids.push_back(order_.row(position));
      tokens.epochs.push_back(order_.epoch(position));
      dataset_.read(tokens.row_ids.back(), {row, width});
    }
    if (objective_.needs_others()) {
      tokens.others = at::empty_like(tokens.tokens);
      row = tokens.others.mutable_data_ptr<std::int64_t>();
      for (const std::uint64_t id : tokens.sample_ids) {
        dataset_.read(order_.other_row(id), {row, width});
        row += width;
      }
    }
    batches.push_back(objective_.prepare(tokens));
  }
  return batches;
}

}  // namespace pretrain
