#include "launch/step_outputs.h"

#include <ATen/ops/cat.h>

#include <cstdio>
#include <map>

#include "core/base/files/directory.h"
#include "core/base/logging.h"
#include "core/checkpoint/safetensors.h"
#include "core/metrics/jsonl_writer.h"
#include "core/metrics/metrics_record.h"
#include "core/text/token_text.h"
#include "launch/network.h"
#include "objectives/corruption/rows.h"
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

// The micro batches of a step, joined. Rows of one length stand below each other.
class Dump {
 public:
  void add(const Batch& batch) {
    for (const Batch& part : batch.parts) add(part);
    if (batch.inputs.lengths.empty()) return;
    add_sequences("inputs", "lengths", batch.inputs);
    add_sequences("decoder", "decoder_lengths", batch.decoder);
    if (!batch.inputs.prefixes.empty())
      parts_["prefixes"].push_back(as_tensor(batch.inputs.prefixes));
    add_tensor("segments", batch.inputs.segments);
    if (batch.target_rows.defined()) {
      parts_["target_rows"].push_back(batch.target_rows + positions_);
    }
    add_tensor("targets", batch.targets);
    add_tensor("labels", batch.labels);
    add_tensor("noise", batch.noise);
    positions_ += batch.inputs.tokens.size(0);
    ids_.insert(ids_.end(), batch.sample_ids.begin(), batch.sample_ids.end());
  }

  std::vector<TensorView> tensors() {
    std::vector<TensorView> views;
    const std::int64_t width = lengths_.uniform_length();
    for (const auto& [name, parts] : parts_) {
      at::Tensor whole = at::cat(parts).contiguous();
      const bool rows = name == "inputs" || (name == "targets" && whole.numel() == positions_);
      if (rows && width > 0) whole = whole.view({-1, width});
      const bool is_float = whole.scalar_type() == at::kFloat;
      views.push_back({name, is_float ? "F32" : "I64", whole.sizes().vec(),
                       is_float ? bytes_of<float>(whole) : bytes_of<std::int64_t>(whole)});
      kept_.push_back(whole);
    }
    views.push_back({"sample_ids",
                     "I64",
                     {static_cast<std::int64_t>(ids_.size())},
                     std::as_bytes(std::span(ids_))});
    return views;
  }

 private:
  void add_tensor(const std::string& name, const at::Tensor& tensor) {
    if (tensor.defined()) parts_[name].push_back(tensor.to(at::kCPU));
  }
  void add_sequences(const std::string& name, const std::string& lengths,
                     const Sequences& sequences) {
    if (sequences.lengths.empty()) return;
    add_tensor(name, sequences.tokens);
    parts_[lengths].push_back(as_tensor(sequences.lengths));
    if (name != "inputs") return;
    lengths_.lengths.insert(lengths_.lengths.end(), sequences.lengths.begin(),
                            sequences.lengths.end());
  }

  std::map<std::string, std::vector<at::Tensor>> parts_;
  std::vector<at::Tensor> kept_;
  std::vector<std::uint64_t> ids_;
  Sequences lengths_;
  std::int64_t positions_ = 0;
};

}  // namespace

void write_samples(const std::string& run_dir, const RunConfig& config, Objective& objective,
                   const Tokenizer& tokenizer, std::int64_t step) {
  const SampleOptions& options = *config.eval.samples;
  const std::int64_t opening = opening_of_texts(config, tokenizer);
  JsonlWriter lines(run_dir + "/samples.jsonl", {});
  const TokenText text(tokenizer);
  for (std::size_t i = 0; i < options.prompts.size(); ++i) {
    std::vector<std::uint32_t> encoded;
    tokenizer.encode(options.prompts[i], encoded);
    std::vector<std::int64_t> ids(encoded.begin(), encoded.end());
    if (opening >= 0) ids.insert(ids.begin(), opening);
    SamplingOptions sampling;
    sampling.temperature = options.temperature;
    sampling.seed = static_cast<std::uint64_t>(config.run.seed);
    const auto next = generate(objective.model(), ids, options.tokens, sampling, tokenizer.eos_id(),
                               i, [](std::int64_t) { return true; });
    JsonObject line;
    line.add("v", kRecordVersion).add("t", utc_seconds()).add("step", step);
    line.add("prompt", options.prompts[i]);
    line.add("text", text.after(ids, next));
    line.add("temperature", options.temperature);
    lines.write(line);
  }
}

void dump_step(const std::string& run_dir, const std::vector<Batch>& batches,
               const FlatBuffer& parameters, std::int64_t step, int rank) {
  Dump dump;
  for (const Batch& batch : batches) dump.add(batch);
  const at::Tensor gradients = parameters.gradients().to(at::kCPU);
  std::vector<TensorView> tensors = dump.tensors();
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
