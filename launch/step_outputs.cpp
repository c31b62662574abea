#include "launch/step_outputs.h"

#include <ATen/ops/cat.h>

#include <cstdio>

#include "core/base/files/directory.h"
#include "core/base/logging.h"
#include "core/checkpoint/safetensors.h"
#include "core/metrics/jsonl_writer.h"
#include "core/metrics/metrics_record.h"
#include "objectives/decoding/generation.h"

namespace pretrain {
namespace {

template <class T>
std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return std::as_bytes(
      std::span(tensor.const_data_ptr<T>(), static_cast<std::size_t>(tensor.numel())));
}

std::string dump_name(std::int64_t step, int rank) {
  char name[64];
  std::snprintf(name, sizeof name, "step-%08lld-rank-%05d.safetensors",
                static_cast<long long>(step), rank);
  return name;
}

}  // namespace

void write_samples(const std::string& run_dir, const SampleOptions& options, Objective& objective,
                   const Tokenizer& tokenizer, std::int64_t step, std::uint64_t seed) {
  JsonlWriter lines(run_dir + "/samples.jsonl", {});
  for (std::size_t i = 0; i < options.prompts.size(); ++i) {
    std::vector<std::uint32_t> ids;
    tokenizer.encode(options.prompts[i], ids);
    SamplingOptions sampling;
    sampling.temperature = options.temperature;
    sampling.seed = seed;
    const auto next = generate(objective.model(), {ids.begin(), ids.end()}, options.tokens,
                               sampling, tokenizer.eos_id(), i, [](std::int64_t) { return true; });
    JsonObject line;
    line.add("v", kRecordVersion).add("t", utc_seconds()).add("step", step);
    line.add("prompt", options.prompts[i]);
    line.add("text", tokenizer.decode({next.begin(), next.end()}));
    line.add("temperature", options.temperature);
    lines.write(line);
  }
}

void dump_step(const std::string& run_dir, const std::vector<Batch>& batches,
               const FlatBuffer& parameters, std::int64_t step, int rank) {
  std::vector<at::Tensor> inputs, targets;
  std::vector<std::uint64_t> ids;
  for (const Batch& batch : batches) {
    inputs.push_back(batch.inputs);
    targets.push_back(batch.targets);
    ids.insert(ids.end(), batch.sample_ids.begin(), batch.sample_ids.end());
  }
  const at::Tensor all_inputs = at::cat(inputs).contiguous();
  const at::Tensor all_targets = at::cat(targets).contiguous();
  const at::Tensor gradients = parameters.gradients().to(at::kCPU);
  std::vector<TensorView> tensors{
      {"inputs", "I64", all_inputs.sizes().vec(), bytes_of<std::int64_t>(all_inputs)},
      {"targets", "I64", all_targets.sizes().vec(), bytes_of<std::int64_t>(all_targets)},
      {"sample_ids",
       "I64",
       {static_cast<std::int64_t>(ids.size())},
       std::as_bytes(std::span(ids))}};
  if (rank == 0) {
    for (const FlatBuffer::Entry& entry : parameters.entries()) {
      tensors.push_back({"gradient/" + entry.name, "F32", entry.shape,
                         bytes_of<float>(gradients.narrow(0, entry.begin, entry.count))});
    }
  }
  const Directory dumps = Directory::create(run_dir + "/dumps");
  const std::string name = dump_name(step, rank);
  const std::string temporary = unique_name("tmp-" + name);
  write_safetensors(dumps, temporary, tensors);
  dumps.rename(temporary, name);
  dumps.sync();
}

}  // namespace pretrain
