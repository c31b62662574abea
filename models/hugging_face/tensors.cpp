#include "models/hugging_face/tensors.h"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/json/json_reader.h"

namespace pretrain {
namespace {

constexpr std::size_t kMaxIndexBytes = 64 << 20;

// The rows of our parameter that a piece stands for.
at::Tensor rows_of(Model& model, const HfPiece& piece) {
  const auto parameters = model.named_parameters();
  const at::Tensor* parameter = parameters.find(piece.ours);
  if (parameter == nullptr) fail(ExitCode::kInternal, "the model has no parameter ", piece.ours);
  const std::int64_t end = piece.end < 0 ? parameter->size(0) : piece.end;
  return parameter->narrow(0, piece.begin, end - piece.begin);
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

// Buffers that old files hold beside the weights, and second names of tied ones.
bool is_superfluous(const std::string& name) {
  return name.ends_with("position_ids") || name.ends_with(".attn.bias") ||
         name.ends_with(".attn.masked_bias") ||
         name.ends_with(".EncDecAttention.relative_attention_bias.weight") ||
         name.ends_with("rotary_emb.inv_freq") || name.ends_with("encoder.embed_tokens.weight") ||
         name.ends_with("decoder.embed_tokens.weight") ||
         name.ends_with("predictions.decoder.weight") ||
         name.ends_with("predictions.decoder.bias") || name.ends_with("lm_head.decoder.weight") ||
         name.ends_with("lm_head.decoder.bias") || name == "generator_lm_head.weight" ||
         name == "lm_head.weight";
}

// A tensor by its name of today, or by one of former days: gamma and beta of norms, no base.
std::map<std::string, at::Tensor>::const_iterator find_tensor(
    const std::map<std::string, at::Tensor>& weights, const std::string& name,
    const std::string& base) {
  std::vector<std::string> names{name};
  if (!base.empty() && name.starts_with(base)) names.push_back(name.substr(base.size()));
  for (const std::string& whole : names) {
    if (const auto found = weights.find(whole); found != weights.end()) return found;
    for (const auto& [now, once] : {std::pair("weight", "gamma"), std::pair("bias", "beta")}) {
      if (!whole.ends_with(now)) continue;
      const auto found = weights.find(whole.substr(0, whole.size() - std::strlen(now)) + once);
      if (found != weights.end()) return found;
    }
  }
  return weights.end();
}

at::ScalarType scalar_type(const std::string& dtype, const std::string& place) {
  if (dtype == "F32") return at::kFloat;
  if (dtype == "BF16") return at::kBFloat16;
  if (dtype == "F16") return at::kHalf;
  if (dtype == "F64") return at::kDouble;
  if (dtype == "I64") return at::kLong;
  fail(ExitCode::kBadData, place, ": type ", dtype, " is no type of weights");
}

void read_file(const std::string& directory, const std::string& name,
               std::map<std::string, at::Tensor>& weights) {
  const SafetensorsFile file(Directory::open(directory), name);
  for (const auto& [key, info] : file.tensors()) {
    const std::string place = file.path() + ": " + key;
    const at::Tensor tensor =
        at::empty(info.shape, at::TensorOptions().dtype(scalar_type(info.dtype, place)));
    file.read(info, 0, {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()});
    if (!weights.emplace(key, tensor.is_floating_point() ? tensor.to(at::kFloat) : tensor).second) {
      fail(ExitCode::kBadData, place, ": is in two files");
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, at::Tensor>> exported_tensors(Model& model, const HfPlan& plan) {
  const c10::AutoGradMode no_grad(false);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const HfPiece& piece : plan.pieces) {
    const at::Tensor rows = rows_of(model, piece);
    tensors.emplace_back(
        piece.theirs, (piece.transposed ? rows.t() : rows).to(at::kCPU, at::kFloat).contiguous());
  }
  return tensors;
}

std::vector<std::string> import_tensors(Model& model, const HfPlan& plan,
                                        const std::map<std::string, at::Tensor>& weights,
                                        const std::string& place) {
  const c10::AutoGradMode no_grad(false);
  std::set<std::string> used;
  for (const HfPiece& piece : plan.pieces) {
    const auto found = find_tensor(weights, piece.theirs, plan.base);
    if (found == weights.end()) {
      fail(ExitCode::kBadData, place, ": has no tensor ", piece.theirs, ", which ",
           plan.architecture, " has");
    }
    at::Tensor rows = rows_of(model, piece);
    if (piece.transposed) rows = rows.t();
    if (found->second.sizes() != rows.sizes()) {
      fail(ExitCode::kBadData, place, ": tensor ", found->first, ": expected shape ",
           shape_text(rows.sizes()), " by config.json, found ", shape_text(found->second.sizes()));
    }
    rows.copy_(found->second);
    used.insert(found->first);
  }
  std::vector<std::string> left_out;
  for (const auto& [name, tensor] : weights) {
    if (used.contains(name) || is_superfluous(name)) continue;
    if (name.starts_with(plan.base + "pooler.dense.") ||
        name.starts_with("cls.seq_relationship.")) {
      left_out.push_back(name);
      continue;
    }
    fail(ExitCode::kBadData, place, ": tensor ", name, " is none of ", plan.architecture, "'s");
  }
  return left_out;
}

std::map<std::string, at::Tensor> body_of(const std::map<std::string, at::Tensor>& weights,
                                          const std::string& stem, const std::string& dropped,
                                          const std::string& place) {
  std::map<std::string, at::Tensor> body;
  for (const auto& [name, tensor] : weights) {
    if (name.starts_with(stem)) {
      body[name.substr(stem.size())] = tensor;
    } else if (!name.starts_with(dropped)) {
      fail(ExitCode::kBadData, place, ": tensor ", name, " begins neither with ", stem,
           " nor with ", dropped);
    }
  }
  return body;
}

void write_weights(const Directory& directory,
                   const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                   std::uint64_t shard_bytes) {
  std::vector<std::vector<TensorView>> shards(1);
  std::uint64_t total = 0, filled = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t bytes = tensor.nbytes();
    if (filled > 0 && filled + bytes > shard_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back().push_back(
        {name,
         "F32",
         tensor.sizes().vec(),
         {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
    filled += bytes;
    total += bytes;
  }
  if (shards.size() == 1) {
    write_safetensors(directory, "model.safetensors", shards.front());
    return;
  }
  nlohmann::ordered_json places = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    char file[64];
    std::snprintf(file, sizeof file, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
    write_safetensors(directory, file, shards[i]);
    for (const TensorView& tensor : shards[i]) places[tensor.name] = file;
  }
  const nlohmann::ordered_json index = {{"metadata", {{"total_size", total}}},
                                        {"weight_map", places}};
  directory.write_text("model.safetensors.index.json", index.dump(2) + "\n");
}

std::map<std::string, at::Tensor> read_weights(const std::string& directory) {
  namespace fs = std::filesystem;
  std::map<std::string, at::Tensor> weights;
  const std::string index = directory + "/model.safetensors.index.json";
  if (!fs::exists(index)) {
    if (!fs::exists(directory + "/model.safetensors")) {
      fail(ExitCode::kBadData, directory,
           ": has no model.safetensors. Weights in other formats are "
           "not read: save them again with safe_serialization");
    }
    read_file(directory, "model.safetensors", weights);
    return weights;
  }
  const JsonValue value = parse_json(InputFile::open(index).text(kMaxIndexBytes), index);
  std::set<std::string> names;
  for (const auto& [key, file] : JsonReader(value, index).at("weight_map").members()) {
    const std::string& name = file.text();
    if (name.find('/') != std::string::npos) file.refuse("a file of this directory");
    names.insert(name);
  }
  for (const std::string& name : names) read_file(directory, name, weights);
  return weights;
}

}  // namespace pretrain
