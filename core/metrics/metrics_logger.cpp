#include "core/metrics/metrics_logger.h"

#include <utility>
#include <vector>

namespace pretrain {
namespace {

// The names of torchtitan, so that dashboards made for it work.
std::vector<std::pair<std::string, double>> scalars(const TrainRecord& record) {
  std::vector<std::pair<std::string, double>> values{
      {"loss_metrics/global_avg_loss", record.loss},
      {"loss_metrics/global_max_loss", record.loss_max},
      {"grad_norm", record.grad_norm},
      {"lr", record.lr},
      {"throughput(tps)", record.tok_per_s},
      {"tflops", record.tflops},
      {"time_metrics/end_to_end(s)", record.mean.step},
      {"time_metrics/data_loading(s)", record.mean.data},
      {"memory/max_active(GiB)", record.mem_peak_gib}};
  if (record.mfu) values.emplace_back("mfu(%)", 100 * *record.mfu);
  if (record.mean.step > 0) {
    values.emplace_back("time_metrics/data_loading(%)", 100 * record.mean.data / record.mean.step);
  }
  return values;
}

std::vector<std::pair<std::string, double>> scalars(const EvalRecord& record) {
  std::vector<std::pair<std::string, double>> values{{"eval/" + record.set + "/loss", record.loss}};
  if (record.bpb) values.emplace_back("eval/" + record.set + "/bpb", *record.bpb);
  return values;
}

std::string prepared_metrics_file(const MetricsContext& context) {
  std::string path = context.run_dir + "/metrics.jsonl";
  if (context.resumed_at) cut_back(path, *context.resumed_at);
  return path;
}

}  // namespace

void LoggingOptions::visit(OptionVisitor& visitor) {
  visitor.option("every", every,
                 {.meaning = "how often a line of metrics is written",
                  .choices = {"steps", "tokens", "samples", "epochs"}});
  visitor.option("console", console,
                 {.meaning = "what rank 0 prints; auto: a bar on a terminal (mpirun gives its "
                             "ranks none), else lines",
                  .choices = {"auto", "bar", "line", "none"}});
  visitor.option("level", level,
                 {.meaning = "least severe message in logs/",
                  .choices = {"trace", "debug", "info", "warning", "error"}});
  visitor.option("tensorboard", tensorboard, {.meaning = "write event files to tb/"});
  visitor.option("peak_flops", peak_flops,
                 {.meaning = "peak of one rank that MFU is measured against",
                  .unit = "FLOP/s",
                  .min = 1,
                  .null_word = "auto"});
}

MetricsLogger::MetricsLogger(const LoggingOptions& options, const MetricsContext& context)
    : lines_(prepared_metrics_file(context), context.on_lost),
      console_(console_style(options.console, context.terminal), *context.console, context.scale) {
  if (options.tensorboard) {
    tensorboard_.emplace(context.run_dir + "/tb", context.host, context.resumed_at,
                         context.on_lost);
  }
}

void MetricsLogger::train(const TrainRecord& record, std::optional<double> eta_s) {
  lines_.write(to_json(record));
  if (tensorboard_) tensorboard_->write(record.t, record.at.step, scalars(record));
  console_.train(record, eta_s);
}

void MetricsLogger::eval(const EvalRecord& record) {
  lines_.write(to_json(record));
  if (tensorboard_) tensorboard_->write(record.t, record.at.step, scalars(record));
  console_.eval(record);
}

}  // namespace pretrain
