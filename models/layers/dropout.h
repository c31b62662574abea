#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace pretrain {

/// Where the draws of one dropout layer come from.
struct DropoutAddress {
  std::uint64_t seed = 0;
  std::uint64_t layer = 0;  ///< a number of its own for each dropout of a network
};

/// Inverted dropout (Srivastava et al. 2014): each element is zeroed with probability `p`, else
/// divided by 1 - p.
///
/// x is a stack of sequences along its first dimension; sequence i has lengths[i] of its rows. The
/// draw for element j of a sequence is at the address (seed, layer, keys[i], j): it depends on no
/// rank, no thread, no neighbour in the batch and not on how often it is made, so the backward pass
/// makes it again instead of keeping it. Returns x itself if `p` is 0 or `keys` is empty.
at::Tensor dropout(const at::Tensor& x, double p, const DropoutAddress& address,
                   const std::vector<std::uint64_t>& keys,
                   const std::vector<std::int64_t>& lengths);

}  // namespace pretrain
