#include "core/metrics/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/escape_control.h"
#include "core/metrics/number_format.h"

namespace pretrain {
namespace {

constexpr const char* kClearLine = "\r\x1b[K";

std::optional<double> share_done(const TrainRecord& record, const RunScale& scale) {
  if (!scale.steps || *scale.steps <= 0) return {};
  return static_cast<double>(record.at.step) / static_cast<double>(*scale.steps);
}

std::optional<double> share_of_data(const TrainRecord& record) {
  if (!(record.mean.step > 0)) return {};
  return record.mean.data / record.mean.step;
}

std::string step_text(const TrainRecord& record, const RunScale& scale) {
  return concat("step ", record.at.step, "/", scale.steps ? concat(*scale.steps) : kUnknown);
}

int terminal_columns() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

std::string console_line(const TrainRecord& record, const RunScale& scale,
                         std::optional<double> eta_s) {
  return concat(step_text(record, scale), " ", or_unknown(share_done(record, scale), percent),
                " | loss ", compact(record.loss, 3), " | lr ", scientific(record.lr, 1),
                " | gnorm ", compact(record.grad_norm, 2), " | ", with_unit(record.tok_per_s),
                " tok/s | MFU ", or_unknown(record.mfu, percent), " | mem ",
                fixed(record.mem_gib, 1), "/", or_unknown(scale.memory_limit_gib, gib),
                " GiB | data ", or_unknown(share_of_data(record), percent), " | ETA ",
                or_unknown(eta_s, duration));
}

std::string console_line(const EvalRecord& record) {
  const auto bits = [](double bpb) { return compact(bpb, 3); };
  const auto perplexity = [](double ppl) { return compact(ppl, 2); };
  // What an objective or tokenizer has not, it never has: such columns are left out.
  std::string text =
      concat("eval ", record.set, " step ", record.at.step, " | loss ", compact(record.loss, 3));
  if (record.ppl) text += " | ppl " + perplexity(*record.ppl);
  if (record.bpb) text += " | bpb " + bits(*record.bpb);
  if (record.acc) text += " | acc " + percent(*record.acc);
  return text + concat(" | ", fixed(record.t_eval, 1), " s");
}

std::string console_bar(const TrainRecord& record, const RunScale& scale,
                        std::optional<double> eta_s, int columns) {
  constexpr double kWidth = 20;
  const auto share = share_done(record, scale);
  const auto filled =
      static_cast<std::size_t>(kWidth * std::clamp(share.value_or(0.0), 0.0, 1.0) + 0.5);
  std::string text =
      concat(step_text(record, scale), " [", std::string(filled, '#'),
             std::string(static_cast<std::size_t>(kWidth) - filled, '-'), "] ",
             or_unknown(share, percent), " | loss ", compact(record.loss, 3), " | ",
             with_unit(record.tok_per_s), " tok/s | ETA ", or_unknown(eta_s, duration));
  text.resize(std::min(text.size(), static_cast<std::size_t>(std::max(columns, 0))));
  return text;
}

ConsoleStyle console_style(const std::string& option, bool terminal) {
  if (option == "none") return ConsoleStyle::kNone;
  return terminal && option != "line" ? ConsoleStyle::kBar : ConsoleStyle::kLine;
}

Console::~Console() {
  if (bar_shown_) out_ << '\n' << std::flush;
}

void Console::train(const TrainRecord& record, std::optional<double> eta_s) {
  if (style_ != ConsoleStyle::kBar) return print(console_line(record, scale_, eta_s));
  // One column less: a full line would wrap and the bar could not be taken back.
  out_ << kClearLine << console_bar(record, scale_, eta_s, terminal_columns() - 1) << std::flush;
  bar_shown_ = true;
}

void Console::print(const std::string& line) {
  if (style_ == ConsoleStyle::kNone) return;
  if (bar_shown_) out_ << kClearLine;
  bar_shown_ = false;
  out_ << escape_control(line) << '\n' << std::flush;
}

}  // namespace pretrain
