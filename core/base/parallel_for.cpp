#include "core/base/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace pretrain {

void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;  // guards the two below
  std::exception_ptr first_failure;
  std::size_t first_failed = count;
  const auto take_calls = [&] {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= count) return;
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failed = true;
        if (i < first_failed) {
          first_failed = i;
          first_failure = std::current_exception();
        }
      }
    }
  };
  std::vector<std::jthread> others;
  const std::size_t wanted = std::min<std::size_t>(std::max(threads, 1U), count);
  try {
    for (std::size_t t = 1; t < wanted; ++t) others.emplace_back(take_calls);
  } catch (const std::system_error&) {
    // The system starts no more threads: those that there are do the work.
  }
  take_calls();
  others.clear();  // joins
  if (first_failure) std::rethrow_exception(first_failure);
}

}  // namespace pretrain
