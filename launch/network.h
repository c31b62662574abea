#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "core/objective.h"
#include "core/optim/flat_buffer.h"
#include "core/optimizer.h"
#include "core/text/tokenizer.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// "auto" resolved: float or bfloat16 for precision.compute on `device`.
at::ScalarType compute_type(const RunConfig& config, c10::Device device);

/// The model alone, uninitialised; `pad_id` -1: the tokenizer has none.
std::shared_ptr<Model> build_model(const RunConfig& config, std::int64_t vocab_size,
                                   std::int64_t pad_id, at::ScalarType compute, c10::Device device);
/// The objective with its model, uninitialised, with fp32 parameters on `device` (kMeta: sizes
/// alone). Throws kBadConfig for sizes that do not fit together.
std::unique_ptr<Objective> build_objective(const RunConfig& config, const Tokenizer& tokenizer,
                                           at::ScalarType compute, c10::Device device);

/// Id of the token that data.wrap puts before each text of a decoder; -1: none.
std::int64_t opening_of_texts(const RunConfig& config, const Tokenizer& tokenizer);

std::unique_ptr<Optimizer> build_optimizer(const RunConfig& config, FlatBuffer& parameters);

/// Bytes one rank needs, by what for. Estimates but for the first three.
struct MemoryEstimate {
  double parameters = 0;
  double gradients = 0;
  double optimizer = 0;
  double activations = 0;
  double logits = 0;
  double runtime = 0;

  double total() const {
    return parameters + gradients + optimizer + activations + logits + runtime;
  }
};

MemoryEstimate estimate_memory(const RunConfig& config, Objective& objective,
                               at::ScalarType compute, std::int64_t micro_batch);

/// FLOP/s that the threads of this rank reach in a 1,024 x 1,024 x 1,024 product of type `compute`:
/// the peak that MFU is measured against where logging.peak_flops is auto. Takes some 50 ms. Empty
/// for GPUs, whose peak stands in their data sheet.
std::optional<double> measure_peak_flops(at::ScalarType compute, c10::Device device);

/// Trained numbers of the objective, each parameter once.
std::int64_t parameter_count(const Objective& objective);

}  // namespace pretrain
