#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint/safetensors.h"
#include "core/model.h"

namespace pretrain {

/// A tensor of a Hugging Face class and where it stands among ours: rows [begin, end) of parameter
/// `ours`, transposed or not. end -1: all rows.
struct HfPiece {
  std::string theirs;
  std::string ours;
  std::int64_t begin = 0;
  std::int64_t end = -1;
  bool transposed = false;  ///< GPT-2 stores its matrices [in, out]
};

/// One directory to write or read.
struct HfPlan {
  std::string folder;  ///< "" or "generator", "discriminator"
  std::string architecture;
  std::string config;  ///< text of config.json
  std::vector<HfPiece> pieces;
  bool headless = false;  ///< a class without heads: its features are all it computes
  /// Before the names of the body's tensors. Files that were saved from the body alone lack it, and
  /// the class loads them all the same.
  std::string base = "";
};

/// Their tensors by name, contiguous fp32 on the host: what config.json's class loads.
std::vector<std::pair<std::string, at::Tensor>> exported_tensors(Model& model, const HfPlan& plan);

/// Copies a directory's tensors into the model. `weights` holds theirs by name, as read; names of
/// former days (gamma and beta, no base) are known. Returns the names of those left out: of a
/// pooler and of a head for pairs, which the class drops, too. Throws kBadData naming the tensor:
/// missing, of another shape, or one that the class does not have.
std::vector<std::string> import_tensors(Model& model, const HfPlan& plan,
                                        const std::map<std::string, at::Tensor>& weights,
                                        const std::string& place);

/// The tensors whose names begin with `stem`, without it. Those that begin with `dropped` are left
/// out; another one throws kBadData.
std::map<std::string, at::Tensor> body_of(const std::map<std::string, at::Tensor>& weights,
                                          const std::string& stem, const std::string& dropped,
                                          const std::string& place);

/// Writes tensors as model.safetensors, or if they have more than `shard_bytes` as
/// model-00001-of-0000N.safetensors, ... of at most so many bytes (a tensor is never split) and
/// model.safetensors.index.json, which says where each is.
void write_weights(const Directory& directory,
                   const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                   std::uint64_t shard_bytes);

/// All tensors of model.safetensors, or of the shards its index names, as fp32. Throws kBadData.
std::map<std::string, at::Tensor> read_weights(const std::string& directory);

}  // namespace pretrain
