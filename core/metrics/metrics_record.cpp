#include "core/metrics/metrics_record.h"

#include <chrono>

namespace pretrain {
namespace {

void add_head(JsonObject& line, double t, std::int64_t attempt, const char* phase,
              const Counters& at) {
  line.add("v", kRecordVersion).add("t", t).add("attempt", attempt).add("phase", phase);
  line.add("step", at.step).add("tokens", at.tokens).add("real_tokens", at.real_tokens);
  line.add("samples", at.samples).add("targets", at.targets);
  line.add("epoch", at.epoch).add("flops", at.flops);
}

}  // namespace

double utc_seconds() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<milliseconds>(now).count()) / 1000.0;
}

JsonObject to_json(const TrainRecord& record) {
  JsonObject line;
  add_head(line, record.t, record.attempt, "train", record.at);
  line.add("loss", record.loss).add("loss_max", record.loss_max).add("parts", record.parts);
  line.add("lr", record.lr).add("grad_norm", record.grad_norm);
  line.add("param_norm", record.param_norm).add("skipped", record.skipped);
  line.add("tok_per_s", record.tok_per_s).add("tflops", record.tflops);
  line.add("mfu", nullable(record.mfu));
  line.add("t_step", record.mean.step).add("t_data", record.mean.data);
  line.add("t_compute", record.mean.compute).add("t_comm", record.mean.comm);
  line.add("t_opt", record.mean.opt).add("t_other", record.mean.other);
  line.add("mem_gib", record.mem_gib).add("mem_peak_gib", record.mem_peak_gib);
  line.add("world", record.world);
  return line;
}

JsonObject to_json(const EvalRecord& record) {
  JsonObject line;
  add_head(line, record.t, record.attempt, "eval", record.at);
  line.add("set", record.set).add("loss", record.loss).add("parts", record.parts);
  line.add("ppl", nullable(record.ppl))
      .add("bpb", nullable(record.bpb))
      .add("acc", nullable(record.acc));
  line.add("bytes", nullable(record.bytes)).add("t_eval", record.t_eval).add("world", record.world);
  return line;
}

}  // namespace pretrain
