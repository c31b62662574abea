#pragma once

#include <memory>
#include <string>

#include "core/objective.h"

namespace pretrain::testing {

/// The objective `name` on a gpt2 of 2 layers, width 32 and 4 heads with initialised weights.
std::unique_ptr<Objective> make_tiny_objective(const std::string& name, std::int64_t vocab_size,
                                               std::int64_t sequence_length,
                                               at::ScalarType compute = at::kFloat,
                                               std::uint64_t seed = 1);

}  // namespace pretrain::testing
