#include "models/electra.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "models/initialize.h"

namespace pretrain {
namespace {

// A share of a size, at least 1 and whole.
std::int64_t part(std::int64_t size, double share) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(size) * share));
}

void set_frozen(torch::nn::Module& module) {
  for (const at::Tensor& tensor : module.parameters()) tensor.requires_grad_(false);
}

bool same_shapes(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto of_a = a.named_parameters(), of_b = b.named_parameters();
  return std::equal(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(),
                    [](const auto& x, const auto& y) {
                      return x.key() == y.key() && x.value().sizes() == y.value().sizes();
                    });
}

}  // namespace

TransformerOptions generator_options(const Electra::Options& options) {
  TransformerOptions small = options.transformer;
  small.embedding_size = options.transformer.embedding_width();
  small.hidden = part(options.transformer.hidden, options.generator.size);
  small.heads = part(options.transformer.heads, options.generator.size);
  small.ffn = part(options.transformer.inner_width(), options.generator.size);
  if (options.generator.layers) small.layers = *options.generator.layers;
  return small;
}

Electra::Options::Options() : transformer(bert_options()) {}

void Electra::Options::Generator::visit(OptionVisitor& visitor) {
  visitor.option("size", size,
                 {.meaning = "width, heads and ffn of the generator; 0: none (masked_lm)",
                  .unit = "of main",
                  .min = 0,
                  .max = 1,
                  .identity = true});
  visitor.option("layers", layers,
                 {.meaning = "blocks of the generator",
                  .min = 1,
                  .max = 1000,
                  .default_text = "layers",
                  .null_word = "auto",
                  .identity = true});
}

void Electra::Options::visit(OptionVisitor& visitor) {
  transformer.visit(visitor);
  visitor.section("generator", generator);
  visitor.option(
      "share_embeddings", share_embeddings,
      {.meaning = "generator and main encoder have one set of tables", .identity = true});
  visitor.option(
      "token_head", token_head,
      {.meaning = "the main encoder predicts tokens too (objective.variant)", .identity = true});
}

Electra::Electra(const Options& options, const ModelContext& context)
    : options_(options.transformer),
      generator_options_(generator_options(options)),
      vocab_size_(context.vocab_size),
      max_positions_(options_.positions(context)),
      activation_bytes_(options_.activation_bytes_per_token(context.compute, context.recompute)) {
  require_tied(options_);
  const bool has_generator = options.generator.size > 0;
  if (has_generator) {
    activation_bytes_ +=
        generator_options_.activation_bytes_per_token(context.compute, context.recompute);
  }
  Embeddings::Shape tables;
  tables.segments = 2;
  tables.norm = true;
  embeddings_ =
      register_module("embeddings", std::make_shared<Embeddings>(options_, tables, context));
  stack_ = register_module(
      "stack", std::make_shared<TransformerStack>(options_, TransformerStack::Shape{}, context));
  const std::int64_t width = options_.embedding_width();
  const auto prediction = [&](const char* name, std::int64_t hidden) {
    return register_module(name, std::make_shared<PredictionTransform>(
                                     hidden, width, options_.padded_vocab(vocab_size_),
                                     Activation::kGelu, options_.norm_eps, context));
  };
  if (!has_generator || options.token_head) prediction_ = prediction("prediction", options_.hidden);
  if (!has_generator) return;
  replaced_dense_ =
      register_module("replaced_dense",
                      std::make_shared<Linear>(options_.hidden, options_.hidden, context.options));
  replaced_output_ = register_module("replaced_output",
                                     std::make_shared<Linear>(options_.hidden, 1, context.options));
  generator_embeddings_ = embeddings_;
  if (!options.share_embeddings) {
    generator_embeddings_ = register_module(
        "generator_embeddings", std::make_shared<Embeddings>(generator_options_, tables, context));
  }
  TransformerStack::Shape shape;
  shape.number = 1;
  generator_stack_ = register_module(
      "generator_stack", std::make_shared<TransformerStack>(generator_options_, shape, context));
  generator_prediction_ = prediction("generator_prediction", generator_options_.hidden);
}

ModelKind Electra::kind() const {
  return generator_stack_ ? ModelKind::kReplacedTokens : ModelKind::kEncoder;
}

at::Tensor Electra::forward(const ModelInput& input) {
  check_lengths(input.sequences, 0, max_positions_);
  return stack_->forward(embeddings_->forward(input.sequences, 0), input.sequences, input.pattern);
}

at::Tensor Electra::head_features(const at::Tensor& features) {
  return prediction_->forward(features);
}

OutputHead Electra::head() {
  return {embeddings_->token, prediction_ ? prediction_->bias : at::Tensor(), vocab_size_};
}

at::Tensor Electra::generate(const Sequences& sequences) {
  check_lengths(sequences, 0, max_positions_);
  return generator_stack_->forward(generator_embeddings_->forward(sequences, 0), sequences,
                                   Pattern::kBidirectional);
}

at::Tensor Electra::generator_head_features(const at::Tensor& features) {
  return generator_prediction_->forward(features);
}

OutputHead Electra::generator_head() {
  return {generator_embeddings_->token, generator_prediction_->bias, vocab_size_};
}

at::Tensor Electra::replaced_logits(const at::Tensor& features) {
  const at::Tensor inner =
      activate(replaced_dense_->forward(features), activation_by_name(options_.activation));
  return replaced_output_->forward(inner).to(at::kFloat).squeeze(-1);
}

void Electra::freeze_generator() {
  set_frozen(*generator_stack_);
  set_frozen(*generator_prediction_);
  if (has_own_tables()) set_frozen(*generator_embeddings_);
}

void Electra::freeze_main() {
  set_frozen(*embeddings_);
  set_frozen(*stack_);
  set_frozen(*replaced_dense_);
  set_frozen(*replaced_output_);
  if (prediction_) set_frozen(*prediction_);
}

bool Electra::copy_generator() {
  std::vector<std::pair<torch::nn::Module*, torch::nn::Module*>> pairs{
      {embeddings_.get(), generator_embeddings_.get()}, {stack_.get(), generator_stack_.get()}};
  if (prediction_) pairs.emplace_back(prediction_.get(), generator_prediction_.get());
  for (const auto& [to, from] : pairs) {
    if (!same_shapes(*to, *from)) return false;
  }
  const c10::AutoGradMode no_grad(false);
  for (const auto& [to, from] : pairs) {
    const auto source = from->parameters();
    const auto target = to->parameters();
    for (std::size_t i = 0; i < source.size(); ++i) target[i].copy_(source[i]);
  }
  return true;
}

void Electra::initialize(std::uint64_t seed) { initialize_transformer(*this, options_, seed); }

double Electra::body_flops_per_token(std::int64_t length) const {
  return options_.flops_per_token(length, 1);
}

double Electra::generator_flops_per_token(std::int64_t length) const {
  return generator_options_.flops_per_token(length, 1);
}

double Electra::activation_bytes_per_token() const { return activation_bytes_; }

namespace {

const bool kRegistered = models().add<Electra>("electra");

}  // namespace
}  // namespace pretrain
