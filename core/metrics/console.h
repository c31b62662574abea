#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "core/metrics/metrics_record.h"

namespace pretrain {

/// What values of a run are shown against.
struct RunScale {
  std::optional<std::int64_t> steps;       ///< planned
  std::optional<double> memory_limit_gib;  ///< of one rank
};

/// `step 1200/10000 12.0% | loss 3.412 | lr 2.9e-04 | gnorm 0.81 | 41.2k tok/s | MFU 38.1% |
/// mem 9.8/12 GiB | data 0.4% | ETA 1h02m`, with `--` for what is not known.
std::string console_line(const TrainRecord& record, const RunScale& scale,
                         std::optional<double> eta_s);
/// `eval SET step 500 | loss 2.345 | ppl 10.43 | bpb 1.234 | acc 50.0% | 3.2 s`, without the
/// columns that were not measured.
std::string console_line(const EvalRecord& record);
/// `step 1200/10000 [###-----------------] 12.0% | loss 3.412 | 41.2k tok/s | ETA 1h02m`, cut to
/// `columns`.
std::string console_bar(const TrainRecord& record, const RunScale& scale,
                        std::optional<double> eta_s, int columns);

enum class ConsoleStyle { kBar, kLine, kNone };
/// Style for the option `logging.console`: auto, bar, line or none. A bar needs a terminal; without
/// one it becomes lines.
ConsoleStyle console_style(const std::string& option, bool terminal);

/// The lines a person watches. Not thread-safe. A stream that fails is no fault.
class Console {
 public:
  /// `out` must outlive this.
  Console(ConsoleStyle style, std::ostream& out, const RunScale& scale)
      : style_(style), out_(out), scale_(scale) {}
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  /// Ends the line of a bar.
  ~Console();

  void train(const TrainRecord& record, std::optional<double> eta_s);
  void eval(const EvalRecord& record) { print(console_line(record)); }
  /// Any other line; control bytes are escaped. Nothing with style kNone.
  void print(const std::string& line);

 private:
  ConsoleStyle style_;
  std::ostream& out_;
  RunScale scale_;
  bool bar_shown_ = false;
};

}  // namespace pretrain
