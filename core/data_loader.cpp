#include "core/data_loader.h"

#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/logging.h"

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

DataLoader::DataLoader(BatchReader reader, const BatchLayout& layout, BatchSchedule batches,
                       int rank, const ReadAhead& ahead)
    : reader_(std::move(reader)),
      layout_(layout),
      batches_(std::move(batches)),
      rank_(rank),
      ahead_(ahead) {
  for (const BatchSchedule::Piece& piece : batches_.pieces()) {
    if (piece.sequences % (layout.micro_batch * layout.ranks) != 0) {
      fail(ExitCode::kInternal, "a batch of ", piece.sequences, " for ", layout.ranks,
           " ranks with micro batches of ", layout.micro_batch);
    }
  }
}

DataLoader::~DataLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void DataLoader::start(std::int64_t step) {
  wanted_ = begun_ = step;
  for (std::int64_t i = 0; ahead_.announce && i < ahead_.steps; ++i) announce(step + i);
  try {
    for (std::int64_t i = 0; i < ahead_.threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    const std::string reason = concat("data.io_threads: cannot start thread ", threads_.size() + 1,
                                      " of ", ahead_.threads, ": ", error.what());
    if (threads_.empty()) {
      fail(ExitCode::kOutOfMemory, reason, ". Raise the limit of processes");
    }
    log_warning(reason + ". The batches are the same with fewer");
  }
}

std::vector<Batch> DataLoader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_.contains(wanted_); });
  if (ready_.at(wanted_).failure) std::rethrow_exception(ready_.at(wanted_).failure);
  std::vector<Batch> batches = std::move(ready_.at(wanted_).batches);
  ready_.erase(wanted_++);
  changed_.notify_all();
  return batches;
}

void DataLoader::locate(std::uint64_t samples, DataCursor& cursor) const {
  const SamplePlan& plan = reader_.plan();
  const std::vector<std::uint64_t> consumed = plan.consumed(samples);
  cursor.samples = samples;
  cursor.phase = plan.phase_at(samples);
  for (std::size_t i = 0; i < cursor.sources.size(); ++i) cursor.sources[i].samples = consumed[i];
}

void DataLoader::work() {
  while (true) {
    std::int64_t step = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || begun_ < wanted_ + ahead_.steps; });
      if (stopping_) return;
      step = begun_++;
    }
    if (ahead_.announce) announce(step + ahead_.steps);
    Outcome outcome = read_step(step);
    const bool failed = outcome.failure != nullptr;
    {
      const std::lock_guard lock(mutex_);
      ready_[step] = std::move(outcome);
    }
    changed_.notify_all();
    if (failed) return;
  }
}

std::int64_t DataLoader::own_sequences(std::int64_t step) const {
  return batches_.sequences(static_cast<std::uint64_t>(step)) / layout_.ranks;
}

std::uint64_t DataLoader::first_sample(std::int64_t step) const {
  return batches_.first_sample(static_cast<std::uint64_t>(step)) +
         static_cast<std::uint64_t>(rank_ * own_sequences(step));
}

void DataLoader::announce(std::int64_t step) const {
  reader_.announce(first_sample(step), own_sequences(step));
}

DataLoader::Outcome DataLoader::read_step(std::int64_t step) const {
  Outcome outcome;
  try {
    std::uint64_t sample = first_sample(step);
    const std::int64_t end = own_sequences(step) / layout_.micro_batch;
    for (std::int64_t micro = 0; micro < end; ++micro) {
      outcome.batches.push_back(reader_.batch(sample, layout_.micro_batch));
      sample += static_cast<std::uint64_t>(layout_.micro_batch);
    }
  } catch (...) {
    outcome.failure = std::current_exception();
  }
  return outcome;
}

}  // namespace pretrain
