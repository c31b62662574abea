#include "launch/network.h"

#include <ATen/ops/ones.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/config/option_reader.h"
#include "core/text/token_roles.h"
#include "core/text/word_parts.h"
#include "models/layers/gemm.h"
#include "objectives/losses/linear_cross_entropy.h"

namespace pretrain {
namespace {

// Reads a component's options out of the resolved section, which was checked when it was resolved.
template <class Components, class Context>
auto create(const Components& components, const RunConfig& config, const std::string& section,
            const std::string& name, const Context& context) {
  ErrorList errors;
  OptionReader reader(config.resolved, section, errors);
  auto made = components.create(name, reader, context);
  errors.throw_if_any();
  return made;
}

SpecialTokens special_tokens(const Tokenizer& tokenizer) {
  const TokenRoles roles = token_roles(tokenizer);
  SpecialTokens special{
      roles.eos,        roles.pad,        roles.cls,        roles.sep,       roles.mask,
      roles.fim_prefix, roles.fim_middle, roles.fim_suffix, roles.sentinels, {}};
  special.is_special.resize(static_cast<std::size_t>(tokenizer.vocab_size()));
  for (const std::uint32_t id : tokenizer.special_ids()) special.is_special[id] = true;
  return special;
}

// Samples are texts that a model writes.
void check_samples(const RunConfig& config, ModelKind kind) {
  if (!config.eval.samples || kind == ModelKind::kDecoder || kind == ModelKind::kEncoderDecoder) {
    return;
  }
  fail(ExitCode::kBadConfig, config.place("eval.samples"), "eval.samples: model.name ",
       config.model.name, " is ", to_string(kind),
       ", which writes no text. Remove the option; decoders and encoder-decoders have samples");
}

constexpr double kRuntimeBytes = 250e6;  // libraries and thread stacks: a rough figure

// Marks around sequences, as data.wrap says: cls and sep of encoders, bos of decoders.
void choose_marks(const RunConfig& config, ModelKind kind, const Tokenizer& tokenizer,
                  SpecialTokens& special) {
  const std::string& wrap = config.data.wrap;
  const std::string model = "model.name " + config.model.name + " is " + to_string(kind);
  const auto refuse = [&](const std::string& why) {
    fail(ExitCode::kBadConfig, config.place("data.wrap"), "data.wrap ", wrap, ": ", why);
  };
  if (kind == ModelKind::kEncoder || kind == ModelKind::kReplacedTokens) {
    if (wrap == "none") special.cls = special.sep = -1;
    if (wrap == "bos_eos") {
      refuse(model + ". Use cls_sep, which takes <s> and </s> where there is no [CLS] and [SEP]");
    }
    return;
  }
  if (wrap == "cls_sep") refuse(model + ", no encoder. Use data.wrap=auto");
  if (wrap != "bos_eos") return;
  if (kind == ModelKind::kEncoderDecoder) {
    refuse(model + ", whose inputs and targets close with an end of their own. Use data.wrap=auto");
  }
  special.bos = opening_of_texts(config, tokenizer);
  if (special.bos >= 0) return;
  refuse(
      "the tokenizer has no bos token (<s>, <bos>, [BOS], <|begin_of_text|>). Add --special '<s>', "
      "to pretrain tokenizer train or, with byte and char, to pretrain corpus build");
}

// What encoders' sequences stand between; asked once the objective has said what else is amiss.
void check_marks(const RunConfig& config, ModelKind kind, const SpecialTokens& special) {
  const bool encoder = kind == ModelKind::kEncoder || kind == ModelKind::kReplacedTokens;
  if (!encoder || config.data.wrap == "none" || (special.cls >= 0 && special.sep >= 0)) return;
  fail(ExitCode::kBadConfig, config.place("data.wrap"), "data.wrap ", config.data.wrap,
       ": the tokenizer has no ",
       special.cls < 0 ? "cls token ([CLS], <cls> or <s>)" : "sep token ([SEP], <sep> or </s>)",
       ". Add --special bert, to pretrain tokenizer train or, with byte and char, to pretrain "
       "corpus build; or set data.wrap=none");
}

}  // namespace

at::ScalarType compute_type(const RunConfig& config, c10::Device device) {
  if (config.precision.compute == "fp32") return at::kFloat;
  if (config.precision.compute == "bf16") return at::kBFloat16;
  const bool multiplies_bf16 = device.is_cuda() || __builtin_cpu_supports("avx512bf16") != 0;
  return multiplies_bf16 ? at::kBFloat16 : at::kFloat;
}

std::shared_ptr<Model> build_model(const RunConfig& config, std::int64_t vocab_size,
                                   std::int64_t pad_id, at::ScalarType compute,
                                   c10::Device device) {
  ModelContext context;
  context.vocab_size = vocab_size;
  context.sequence_length = config.data.sequence_length;
  context.compute = compute;
  context.options = at::TensorOptions().dtype(at::kFloat).device(device);
  context.seed = static_cast<std::uint64_t>(config.run.seed);
  context.pad_id = pad_id;
  context.recompute = config.train.recompute == "full";
  return create(models(), config, "model", config.model.name, context);
}

std::int64_t opening_of_texts(const RunConfig& config, const Tokenizer& tokenizer) {
  return config.data.wrap == "bos_eos" ? token_roles(tokenizer).bos : -1;
}

std::unique_ptr<Objective> build_objective(const RunConfig& config, const Tokenizer& tokenizer,
                                           at::ScalarType compute, c10::Device device) {
  const std::int64_t vocab_size = config.model.vocab_size.value_or(tokenizer.vocab_size());
  if (vocab_size < tokenizer.vocab_size()) {
    fail(ExitCode::kBadConfig, config.place("model.vocab_size"), "model.vocab_size ", vocab_size,
         " is less than the tokenizer's ", tokenizer.vocab_size(),
         ". Build the corpus with the model's tokenizer");
  }
  ObjectiveContext objective;
  objective.special = special_tokens(tokenizer);
  objective.special.is_special.resize(static_cast<std::size_t>(vocab_size), true);
  objective.model = build_model(config, vocab_size, objective.special.pad, compute, device);
  objective.model_name = config.model.name;
  objective.seed = static_cast<std::uint64_t>(config.run.seed);
  objective.sequence_length = config.data.sequence_length;
  objective.vocab_size = vocab_size;
  objective.document_mask = config.data.document_mask;
  choose_marks(config, objective.model->kind(), tokenizer, objective.special);
  objective.word_parts = word_parts(tokenizer);
  check_samples(config, objective.model->kind());
  auto made = create(objectives(), config, "objective", config.objective.name, objective);
  check_marks(config, objective.model->kind(), objective.special);
  return made;
}

std::unique_ptr<Optimizer> build_optimizer(const RunConfig& config, FlatBuffer& parameters) {
  const OptimizerContext context{&parameters, config.optimizer.weight_decay};
  return create(optimizers(), config, "optimizer", config.optimizer.name, context);
}

MemoryEstimate estimate_memory(const RunConfig& config, Objective& objective,
                               at::ScalarType compute, std::int64_t micro_batch) {
  const double parameters = static_cast<double>(parameter_count(objective));
  const double tokens = static_cast<double>(micro_batch * config.data.sequence_length);
  const OutputHead head = objective.model().head();
  const double element = static_cast<double>(c10::elementSize(compute));
  const double vocabulary = static_cast<double>(head.weight.size(0));
  const double head_weights = static_cast<double>(head.weight.numel());
  MemoryEstimate memory;
  memory.parameters = 4 * parameters;
  memory.gradients = 4 * parameters;
  memory.optimizer = (config.optimizer.name == "sgd" ? 4 : 8) * parameters;
  const double cast_weights = compute == at::kFloat ? 0 : element * parameters;
  memory.activations = tokens * objective.model().activation_bytes_per_token() + cast_weights;
  // A chunk of logits, and the head's gradient before it is added.
  memory.logits = std::min(tokens * vocabulary * element, double{kLogitsChunkBytes}) +
                  (4 + (compute == at::kFloat ? 4 : element)) * head_weights;
  memory.runtime = kRuntimeBytes;
  return memory;
}

std::optional<double> measure_peak_flops(at::ScalarType compute, c10::Device device) {
  if (!device.is_cpu()) return std::nullopt;
  constexpr std::int64_t kSize = 1024;
  const at::Tensor matrix = at::ones({kSize, kSize}, at::TensorOptions(compute));
  double best = INFINITY;
  for (int i = 0; i < 4; ++i) {  // the first one also prepares the kernel
    const auto start = std::chrono::steady_clock::now();
    linear_output(matrix, matrix, {});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::min(best, seconds.count());
  }
  return 2.0 * kSize * kSize * kSize / best;
}

std::int64_t parameter_count(const Objective& objective) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : objective.parameters()) count += parameter.numel();
  return count;
}

}  // namespace pretrain
