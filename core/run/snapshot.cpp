#include "core/run/snapshot.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "core/communicator.h"
#include "core/optim/clip_grad_norm.h"

namespace pretrain {
namespace {

constexpr const char* kUpdates = "updates";

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

void add_pieces(std::vector<TensorPiece>& pieces, const FlatBuffer& parameters,
                const std::string& prefix, const at::Tensor& host, std::int64_t begin,
                std::int64_t end) {
  for (const FlatBuffer::Entry& entry : parameters.entries()) {
    const std::int64_t first = std::max(begin, entry.begin);
    const std::int64_t last = std::min(end, entry.begin + entry.count);
    if (first >= last) continue;
    pieces.push_back({prefix + entry.name, "F32", entry.shape,
                      static_cast<std::uint64_t>(first - entry.begin),
                      static_cast<std::uint64_t>(last - entry.begin),
                      reinterpret_cast<const std::byte*>(host.const_data_ptr<float>() + first)});
  }
}

void check_tensor(const CheckpointReader& checkpoint, const std::string& name,
                  const std::vector<std::int64_t>& shape) {
  const auto& tensors = checkpoint.manifest().tensors;
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    fail(ExitCode::kBadData, checkpoint.path(), ": has no tensor ", name,
         ": it is of another model or optimizer. Use another run.dir");
  }
  if (found->second.shape != shape) {
    fail(ExitCode::kBadData, checkpoint.path(), ": tensor ", name, ": expected shape ",
         shape_text(shape), ", found ", shape_text(found->second.shape),
         ": it is of another model. Use another run.dir");
  }
}

void load_flat(CheckpointReader& checkpoint, const FlatBuffer& parameters,
               const std::string& prefix, at::Tensor flat) {
  at::Tensor host = flat.is_cpu() ? flat : at::empty(flat.sizes(), at::TensorOptions(at::kFloat));
  if (!flat.is_cpu()) host.zero_();
  for (const FlatBuffer::Entry& entry : parameters.entries()) {
    check_tensor(checkpoint, prefix + entry.name, entry.shape);
    const std::span values(host.mutable_data_ptr<float>() + entry.begin,
                           static_cast<std::size_t>(entry.count));
    checkpoint.read(prefix + entry.name, "F32", 0, values.size(), std::as_writable_bytes(values));
  }
  if (!flat.is_cpu()) flat.copy_(host);
}

void require_finite(const FlatBuffer& parameters, const std::string& prefix,
                    const at::Tensor& flat) {
  if (std::isfinite(squared_norm(flat))) return;
  for (const FlatBuffer::Entry& entry : parameters.entries()) {
    if (std::isfinite(squared_norm(flat.narrow(0, entry.begin, entry.count)))) continue;
    throw AgreedError(ExitCode::kNumerics,
                      concat(prefix, entry.name,
                             " holds NaN or infinity, so it is not saved. Lower optimizer.lr; the "
                             "same command goes on from the newest checkpoint"));
  }
}

}  // namespace

void require_finite(const FlatBuffer& parameters, Optimizer& optimizer) {
  require_finite(parameters, "", parameters.values());
  for (const OptimizerBuffer& buffer : optimizer.state()) {
    require_finite(parameters, buffer.name + "/", buffer.values);
  }
}

Snapshot take_snapshot(const FlatBuffer& parameters, Optimizer& optimizer, int rank, int ranks) {
  const std::int64_t size = parameters.size();
  const std::int64_t begin = size * rank / ranks;
  const std::int64_t end = size * (rank + 1) / ranks;
  Snapshot snapshot;
  const auto host = [&](const at::Tensor& flat) {
    snapshot.storage.push_back(flat.to(at::kCPU));
    return snapshot.storage.back();
  };
  add_pieces(snapshot.model, parameters, "", host(parameters.values()), begin, end);
  for (const OptimizerBuffer& buffer : optimizer.state()) {
    add_pieces(snapshot.optimizer, parameters, buffer.name + "/", host(buffer.values), begin, end);
  }
  if (rank == 0) {
    const at::Tensor updates =
        host(at::full({1}, optimizer.updates(), at::TensorOptions(at::kLong)));
    snapshot.optimizer.push_back(
        {kUpdates,
         "I64",
         {1},
         0,
         1,
         reinterpret_cast<const std::byte*>(updates.const_data_ptr<std::int64_t>())});
  }
  return snapshot;
}

void load_parameters(CheckpointReader& checkpoint, FlatBuffer& parameters) {
  load_flat(checkpoint, parameters, "", parameters.values());
}

void load_snapshot(CheckpointReader& checkpoint, FlatBuffer& parameters, Optimizer& optimizer) {
  load_parameters(checkpoint, parameters);
  for (const OptimizerBuffer& buffer : optimizer.state()) {
    load_flat(checkpoint, parameters, buffer.name + "/", buffer.values);
  }
  check_tensor(checkpoint, kUpdates, {1});
  std::int64_t updates = 0;
  checkpoint.read(kUpdates, "I64", 0, 1, std::as_writable_bytes(std::span(&updates, 1)));
  optimizer.set_updates(updates);
}

}  // namespace pretrain
