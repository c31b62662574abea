#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/data/corpus/progress.h"

namespace pretrain {

/// One line on stderr that shows how far a long operation is, after its first two seconds:
/// rewritten in place on a terminal, else a new line every ten seconds. Not thread-safe.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// For operations that report; borrows this.
  ProgressFunction function();
  /// Takes the line away from a terminal.
  void clear();

 private:
  void show(const Progress& progress);

  using Clock = std::chrono::steady_clock;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_;
  std::string phase_;  // what is being reported, since when, and from where on
  Clock::time_point phase_start_;
  double phase_share_ = 0;
  std::uint64_t phase_documents_ = 0;
};

}  // namespace pretrain
