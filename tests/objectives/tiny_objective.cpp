#include "tests/objectives/tiny_objective.h"

#include "core/config/config_loader.h"
#include "core/config/option_reader.h"

namespace pretrain::testing {

std::unique_ptr<Objective> make_tiny_objective(const std::string& name, std::int64_t vocab_size,
                                               std::int64_t sequence_length, at::ScalarType compute,
                                               std::uint64_t seed) {
  const ConfigNode root = parse_config_text(
      "model: {layers: 2, hidden: 32, heads: 4, ffn: 64, pad_vocab_to: 16}\n", "tiny");
  ErrorList errors;
  OptionReader reader(root, "model", errors);
  ModelContext context;
  context.vocab_size = vocab_size;
  context.sequence_length = sequence_length;
  context.compute = compute;
  std::shared_ptr<Model> model = models().create("gpt2", reader, context);
  errors.throw_if_any();
  model->initialize(seed);
  return objectives().create(name, ObjectiveContext{model, seed});
}

}  // namespace pretrain::testing
