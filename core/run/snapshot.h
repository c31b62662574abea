#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint_reader.h"
#include "core/checkpoint/checkpointer.h"
#include "core/optim/flat_buffer.h"
#include "core/optimizer.h"

namespace pretrain {

/// The part of parameters and optimizer state that one rank writes into a checkpoint: an equal
/// range of the flat buffers, cut at the borders of tensors. Parameters keep their names; optimizer
/// buffers are called BUFFER/PARAMETER; `updates` is the optimizer's count of updates.
struct Snapshot {
  std::vector<TensorPiece> model;
  std::vector<TensorPiece> optimizer;
  std::vector<at::Tensor> storage;  ///< host memory that the pieces point into
};

/// Throws AgreedError(kNumerics) naming the first parameter, or optimizer buffer, that holds NaN or
/// infinity: nothing such is worth keeping. On buffers that are equal on all ranks.
void require_finite(const FlatBuffer& parameters, Optimizer& optimizer);

/// Borrows CPU buffers as they are and copies others to the host: use it before they change.
Snapshot take_snapshot(const FlatBuffer& parameters, Optimizer& optimizer, int rank, int ranks);

/// Loads a whole checkpoint of any world size. Throws kBadData naming tensor, shape expected and
/// shape found if it is of another model or optimizer.
void load_snapshot(CheckpointReader& checkpoint, FlatBuffer& parameters, Optimizer& optimizer);
/// Loads the parameters alone.
void load_parameters(CheckpointReader& checkpoint, FlatBuffer& parameters);

}  // namespace pretrain
