#include "core/data/corpus/build/batch_pool.h"

#include <system_error>
#include <utility>

#include "core/base/error.h"

namespace pretrain {

BatchPool::BatchPool(std::size_t threads, std::function<void(BuildBatch&)> work)
    : work_(std::move(work)) {
  try {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  } catch (const std::system_error& error) {
    end();  // those that were started would wait for ever
    fail(ExitCode::kOutOfMemory, "cannot start thread ", threads_.size() + 1, " of ", threads, ": ",
         error.what(), ". Lower --jobs or raise the limit of processes");
  }
}

BatchPool::~BatchPool() { end(); }

void BatchPool::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void BatchPool::put(std::unique_ptr<BuildBatch> batch) {
  bytes_ += batch->data.size();
  slots_.push_back(std::make_unique<Slot>(Slot{std::move(batch), false}));
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(slots_.back().get());
  }
  changed_.notify_all();
}

std::unique_ptr<BuildBatch> BatchPool::take() {
  const std::unique_ptr<Slot> slot = std::move(slots_.front());
  slots_.pop_front();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return slot->done; });
  }
  bytes_ -= slot->batch->data.size();
  if (slot->batch->error) std::rethrow_exception(slot->batch->error);
  return std::move(slot->batch);
}

void BatchPool::run() {
  while (true) {
    Slot* slot = nullptr;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      if (ended_) return;
      slot = waiting_.front();
      waiting_.pop_front();
    }
    try {
      work_(*slot->batch);
    } catch (...) {
      slot->batch->error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      slot->done = true;
    }
    changed_.notify_all();
  }
}

}  // namespace pretrain
