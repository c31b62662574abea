#include "tests/objectives/tiny_objective.h"

#include <ATen/ops/randint.h>

#include <map>

#include "core/base/random.h"
#include "core/batch_reader.h"
#include "core/config/config_loader.h"
#include "core/config/option_reader.h"
#include "core/text/token_roles.h"
#include "core/text/word_parts.h"

namespace pretrain::testing {
namespace {

std::string fitting_model(const std::string& objective) {
  static const std::map<std::string, std::string> models{
      {"masked_lm", "bert"}, {"replaced_token_detection", "electra"}, {"span_corruption", "t5"}};
  const auto found = models.find(objective);
  return found == models.end() ? "gpt2" : found->second;
}

}  // namespace

SpecialTokens tiny_special_tokens(std::int64_t vocab_size) {
  SpecialTokens special{0, 1, 2, 3, 4, 5, 6, 7, {}, {}};
  for (std::int64_t id = 8; id < kFirstOrdinary; ++id) special.sentinels.push_back(id);
  special.is_special.resize(static_cast<std::size_t>(vocab_size));
  std::fill_n(special.is_special.begin(), kFirstOrdinary, true);
  return special;
}

namespace {

SpecialTokens special_tokens_of(const Tokenizer& tokenizer) {
  const TokenRoles roles = token_roles(tokenizer);
  SpecialTokens special;
  special.eos = roles.eos;
  special.cls = roles.cls;
  special.sep = roles.sep;
  special.mask = roles.mask;
  special.is_special.resize(static_cast<std::size_t>(tokenizer.vocab_size()));
  for (const std::uint32_t id : tokenizer.special_ids()) special.is_special[id] = true;
  return special;
}

}  // namespace

std::unique_ptr<Objective> make_tiny(const TinySetup& given) {
  TinySetup setup = given;
  if (setup.tokenizer != nullptr) setup.vocab_size = setup.tokenizer->vocab_size();
  const std::string name = setup.model.empty() ? fitting_model(setup.objective) : setup.model;
  const std::string parts = setup.objective == "mixture" && setup.objective_options.empty()
                                ? "parts: [{name: causal_lm, weight: 2}, {name: prefix_lm}]"
                                : setup.objective_options;
  const ConfigNode root =
      parse_config_text("model: {layers: " + std::to_string(setup.layers) +
                            ", hidden: 32, heads: 4, ffn: 64, pad_vocab_to: 16" +
                            (setup.model_options.empty() ? "" : ", " + setup.model_options) +
                            "}\nobjective: {" + parts + "}\n",
                        "tiny");
  ErrorList errors;
  OptionReader reader(root, "model", errors);
  ModelContext context;
  context.vocab_size = setup.vocab_size;
  context.sequence_length = setup.length;
  context.compute = setup.compute;
  context.seed = setup.seed;
  context.pad_id = 1;
  context.recompute = setup.recompute;
  ObjectiveContext of;
  of.model = models().create(name, reader, context);
  of.model->initialize(setup.seed);
  of.model_name = name;
  of.seed = setup.seed;
  of.sequence_length = setup.length;
  of.vocab_size = setup.vocab_size;
  of.special = setup.tokenizer != nullptr ? special_tokens_of(*setup.tokenizer)
                                          : tiny_special_tokens(setup.vocab_size);
  if (setup.tokenizer != nullptr) of.word_parts = word_parts(*setup.tokenizer);
  of.document_mask = setup.document_mask;
  if (setup.wrap == "bos_eos") of.special.bos = of.special.cls;
  if (setup.wrap == "none") of.special.cls = of.special.sep = -1;
  OptionReader objective_reader(root, "objective", errors);
  auto objective = objectives().create(setup.objective, objective_reader, of);
  errors.throw_if_any();
  return objective;
}

std::unique_ptr<Objective> make_tiny_objective(const std::string& name, std::int64_t vocab_size,
                                               std::int64_t sequence_length, at::ScalarType compute,
                                               std::uint64_t seed) {
  TinySetup setup;
  setup.objective = name;
  setup.vocab_size = vocab_size;
  setup.length = sequence_length;
  setup.compute = compute;
  setup.seed = seed;
  return make_tiny(setup);
}

TokenBatch random_rows(const Objective& objective, std::int64_t rows, std::int64_t vocab_size,
                       std::uint64_t first_sample) {
  const std::int64_t width = objective.row_shape().tokens;
  TokenBatch batch;
  batch.tokens = empty_rows(rows, width);
  auto* out = batch.tokens.mutable_data_ptr<std::int64_t>();
  const auto draw = [&](std::uint64_t sample) {
    RandomStream random(11, RandomPurpose::kTest, sample);
    for (std::int64_t i = 0; i < width; ++i) {
      *out++ = kFirstOrdinary + static_cast<std::int64_t>(random.below(
                                    static_cast<std::uint64_t>(vocab_size - kFirstOrdinary)));
    }
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::uint64_t id = first_sample + static_cast<std::uint64_t>(row);
    batch.sample_ids.push_back(id);
    batch.row_ids.push_back(id);
    batch.epochs.push_back(0);
    draw(id);
  }
  batch.others = empty_rows(rows, width);
  out = batch.others.mutable_data_ptr<std::int64_t>();
  for (const std::uint64_t id : batch.sample_ids) draw(id + (std::uint64_t{1} << 32));
  return batch;
}

TokenBatch in_pieces(const TokenBatch& rows, std::int64_t tokens, std::int64_t eos) {
  TokenBatch batch = rows;
  batch.tokens = rows.tokens.clone();
  const std::int64_t width = batch.tokens.size(1);
  auto* data = batch.tokens.mutable_data_ptr<std::int64_t>();
  for (std::size_t row = 0; row < batch.sample_ids.size(); ++row) {
    for (std::int64_t start = 0; start < width; start += tokens) {
      const std::int64_t count = std::min(tokens, width - start);
      batch.pieces.push_back(
          {row, static_cast<std::uint64_t>(start), static_cast<std::size_t>(count)});
      data += count;
      data[-1] = eos;
    }
  }
  batch.tokens = batch.tokens.view(-1);
  return batch;
}

Sequences as_sequences(const at::Tensor& tokens) {
  Sequences sequences;
  sequences.tokens = tokens.reshape(-1);
  sequences.lengths.assign(static_cast<std::size_t>(tokens.size(0)), tokens.size(1));
  for (std::int64_t row = 0; row < tokens.size(0); ++row) {
    sequences.keys.push_back(static_cast<std::uint64_t>(row));
  }
  return sequences;
}

}  // namespace pretrain::testing
