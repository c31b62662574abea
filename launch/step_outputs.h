#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/objective.h"
#include "core/optim/flat_buffer.h"
#include "core/text/tokenizer.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// Appends a line for each prompt of eval.samples, which must be there, to RUN_DIR/samples.jsonl:
/// {v, t, step, prompt, text, ...}. A failing disk costs a warning.
void write_samples(const std::string& run_dir, const RunConfig& config, Objective& objective,
                   const Tokenizer& tokenizer, std::int64_t step);

/// Writes RUN_DIR/dumps/step-STEP-rank-RANK.safetensors: what the objective prepared (`inputs`
/// and `targets`, [n, T] where all rows are equally long, else [N]; `lengths`, `target_rows`, ...)
/// and `sample_ids` [n] of this rank's micro batches joined, and, on rank 0, the global gradient of
/// each parameter before clipping as `gradient/NAME`. Replaces the dump of an earlier start.
void dump_step(const std::string& run_dir, const std::vector<Batch>& batches,
               const FlatBuffer& parameters, std::int64_t step, int rank);

}  // namespace pretrain
