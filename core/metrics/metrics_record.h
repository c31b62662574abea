#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/base/json/json_writer.h"

namespace pretrain {

/// Version `v` of the lines of metrics.jsonl, events.jsonl, status.json and env.json. Keys are
/// added, never renamed.
inline constexpr std::int64_t kRecordVersion = 1;

/// Wall clock in seconds since 1970 UTC, to the millisecond. A label, never a measure of time.
double utc_seconds();

/// How far a run is; all cumulative over its attempts.
struct Counters {
  std::int64_t step = 0;
  std::int64_t tokens = 0;       ///< positions, padding included
  std::int64_t real_tokens = 0;  ///< without padding
  std::int64_t samples = 0;
  std::int64_t targets = 0;  ///< positions that carried loss
  double epoch = 0;
  double flops = 0;  ///< useful: no padding, no recompute; of all ranks
};

/// Means over the steps since the last line, in seconds. The parts sum to `step`.
struct MeanTimes {
  double step = 0;
  double data = 0;
  double compute = 0;
  double comm = 0;  ///< exposed: not hidden behind compute
  double opt = 0;
  double other = 0;  ///< stalls too
};

/// A line of phase `train`.
struct TrainRecord {
  double t = utc_seconds();
  std::int64_t attempt = 1;  ///< start of the run, from 1
  Counters at;
  double loss = 0;                      ///< nats per target, global
  double loss_max = 0;                  ///< of the worst data rank
  std::map<std::string, double> parts;  ///< loss terms by the names of the objective
  double lr = 0;
  double grad_norm = 0;  ///< global, before clipping
  double param_norm = 0;
  std::int64_t skipped = 0;   ///< steps so far
  double tok_per_s = 0;       ///< real tokens, all ranks
  double tflops = 0;          ///< useful TFLOP/s of one rank
  std::optional<double> mfu;  ///< 0..1; empty: peak not known
  MeanTimes mean;
  double mem_gib = 0;  ///< of the worst rank
  double mem_peak_gib = 0;
  std::int64_t world = 1;  ///< ranks
};

/// A line of phase `eval`.
struct EvalRecord {
  double t = utc_seconds();
  std::int64_t attempt = 1;
  Counters at;
  std::string set;                      ///< name of the evaluation set
  double loss = 0;                      ///< nats per target, by the terms' weights as in training
  std::map<std::string, double> parts;  ///< loss terms by the names of the objective
  std::optional<double> ppl;            ///< exp(loss); empty: the loss is no likelihood of the text
  std::optional<double> bpb;  ///< bits per byte = nats / ln 2 / bytes; empty: bytes not known
  std::optional<double> acc;  ///< 0..1; empty: not measured
  std::optional<std::int64_t> bytes;  ///< of text behind the targets; empty: not known
  double t_eval = 0;                  ///< seconds
  std::int64_t world = 1;
};

/// The lines of metrics.jsonl. Every key is always there; a value not known is null.
JsonObject to_json(const TrainRecord& record);
JsonObject to_json(const EvalRecord& record);

}  // namespace pretrain
