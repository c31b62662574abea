#pragma once

#include <cstddef>
#include <span>

#include "core/communicator.h"

namespace pretrain {

/// out[count] = parts[0] op parts[1] op ... element by element, combined in exactly this order, so
/// that the same parts give the same bits wherever and with whatever split into calls they are
/// reduced. bf16 is combined in fp32 and rounded once, to nearest even; sums of integers wrap.
/// Maximum and minimum of a NaN with anything are NaN. `out` may be one of the parts, else they do
/// not overlap. Host memory; at least one part.
void reduce_in_order(std::span<const void* const> parts, void* out, std::size_t count,
                     DataType type, ReduceOp op);

}  // namespace pretrain
