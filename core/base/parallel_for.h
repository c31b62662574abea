#pragma once

#include <cstddef>
#include <functional>

namespace pretrain {

/// Calls `work(i)` for each i in [0, count) on up to `threads` threads, this one among them, and
/// returns when all calls have. Each thread takes the next i that is left, so calls of unequal
/// length balance out. After an exception no further call begins; the one of the smallest i is
/// thrown here. `threads` 0 counts as 1. Fewer
/// threads do the work if the system starts no more.
void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& work);

}  // namespace pretrain
