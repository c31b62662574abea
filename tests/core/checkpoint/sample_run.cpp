#include "tests/core/checkpoint/sample_run.h"

#include <algorithm>
#include <utility>

#include "core/base/random.h"
#include "core/checkpoint/checkpoint_reader.h"
#include "tests/testing/thread_communicator.h"

namespace pretrain::testing {

SampleRun SampleRun::make(std::uint64_t seed, int world, bool random_shapes) {
  RandomStream random(seed, RandomPurpose::kTest, 1);
  RandomStream random_cuts(seed, RandomPurpose::kTest, 2);  // bytes are the same in any world
  SampleRun run;
  const std::pair<const char*, std::uint64_t> types[] = {{"F32", 4}, {"BF16", 2}, {"I64", 8}};
  for (int i = 0; i < 6; ++i) {
    const auto& [dtype, width] = types[i % 3];
    SampleTensor tensor{concat(i < 3 ? "layer." : "adam.", i), dtype, {}, "", {}};
    const std::uint64_t rank = random_shapes ? random.below(4) : 2;
    for (std::uint64_t d = 0; d < rank; ++d) {
      tensor.shape.push_back(static_cast<std::int64_t>(random_shapes ? random.below(7) : 5));
    }
    const std::uint64_t elements = element_count(tensor.shape, tensor.name);
    tensor.bytes.resize(elements * width);
    for (char& byte : tensor.bytes) byte = static_cast<char>(random.below(256));
    tensor.cuts = {0};
    for (int r = 1; r < world; ++r) tensor.cuts.push_back(random_cuts.below(elements + 1));
    tensor.cuts.push_back(elements);
    std::sort(tensor.cuts.begin(), tensor.cuts.end());
    (i < 3 ? run.model : run.optimizer).push_back(std::move(tensor));
  }
  return run;
}

std::vector<TensorPiece> SampleRun::pieces(const std::vector<SampleTensor>& tensors, int rank) {
  std::vector<TensorPiece> pieces;
  for (const SampleTensor& tensor : tensors) {
    const std::uint64_t begin = tensor.cuts[static_cast<std::size_t>(rank)];
    const std::uint64_t end = tensor.cuts[static_cast<std::size_t>(rank) + 1];
    const auto* bytes = reinterpret_cast<const std::byte*>(tensor.bytes.data());
    const bool is_empty = tensor.bytes.empty();
    if (is_empty && rank != 0) continue;  // a tensor without elements is written once
    pieces.push_back({tensor.name, tensor.dtype, tensor.shape, begin, end,
                      bytes + begin * safetensors_dtype_bytes(tensor.dtype)});
  }
  return pieces;
}

std::vector<const SampleTensor*> SampleRun::all() const {
  std::vector<const SampleTensor*> tensors;
  for (const SampleTensor& tensor : model) tensors.push_back(&tensor);
  for (const SampleTensor& tensor : optimizer) tensors.push_back(&tensor);
  return tensors;
}

void SampleRun::expect_equal(const std::string& path) const {
  CheckpointReader reader(path);
  EXPECT_EQ(reader.manifest().tensors.size(), model.size() + optimizer.size());
  for (const SampleTensor* tensor : all()) {
    std::string bytes(tensor->bytes.size(), '\0');
    reader.read(tensor->name, tensor->dtype, 0, element_count(tensor->shape, ""),
                std::as_writable_bytes(std::span(bytes)));
    EXPECT_TRUE(bytes == tensor->bytes) << path << ": " << tensor->name;
  }
}

CheckpointerSetup sample_setup(const std::string& run_dir) {
  CheckpointerSetup setup;
  setup.run_dir = run_dir;
  setup.identity.config_yaml = "run: {seed: 1}\n";
  setup.identity.identity_sha256 = std::string(64, '1');
  setup.identity.tokenizer_json = "{}\n";
  setup.identity.tokenizer_sha256 = std::string(64, '2');
  setup.identity.corpora = {std::string(64, '3')};
  setup.identity.mesh = {2, 1, 1, 1};
  setup.identity.code = {"0.1.0", "abc", "2.13.0"};
  setup.retention.best_set = "valid";
  return setup;
}

TrainingState sample_state(std::uint64_t step, std::uint64_t lineage) {
  TrainingState state;
  state.step = step;
  state.tokens = step * 4096;
  state.samples = step * 16;
  state.lineage = lineage;
  state.data = {"order", {{"kjv", std::string(64, '3')}}, step * 16};
  return state;
}

SaveResult save_sample(const CheckpointerSetup& setup, std::uint64_t step, int world,
                       std::map<std::string, double> eval, std::uint64_t lineage) {
  const SampleRun run = SampleRun::make(step, world);
  SaveResult result;
  run_ranks(world, [&](Communicator& group) {
    Checkpointer checkpointer(group, setup);
    const SaveResult mine =
        checkpointer.save(sample_state(step, lineage), SampleRun::pieces(run.model, group.rank()),
                          SampleRun::pieces(run.optimizer, group.rank()), eval);
    if (group.rank() == 0) result = mine;
  });
  return result;
}

}  // namespace pretrain::testing
