// Replaced token detection, ELECTRA (Clark et al. 2020): a small generator fills masked positions,
// the main encoder tells for each token whether it was replaced. Variants are the ablations of the
// paper.

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <limits>

#include "core/base/logging.h"
#include "core/config/config_node.h"
#include "core/objective.h"
#include "models/electra.h"
#include "objectives/corruption/masking.h"
#include "objectives/corruption/rows.h"
#include "objectives/losses/binary_cross_entropy.h"
#include "objectives/token_loss.h"

namespace pretrain {
namespace {

struct RtdOptions {
  MaskingOptions masking;
  TokenLossOptions loss;
  double generator_weight = 1;
  double discriminator_weight = 50;
  double temperature = 1;
  bool disallow_correct = false;
  std::string replacement = "generator";
  std::string variant = "electra";
  std::string stage = "joint";

  RtdOptions() {
    masking.mask_share = 0.85;
    masking.random_share = 0;
  }
  void visit(OptionVisitor& visitor) {
    masking.visit(visitor);
    loss.visit(visitor);
    visitor.option("generator_weight", generator_weight,
                   {.meaning = "of the generator's loss", .min = 0, .max = 1e6, .identity = true});
    visitor.option("discriminator_weight", discriminator_weight,
                   {.meaning = "of the main encoder's loss (of replaced or not)",
                    .min = 0,
                    .max = 1e6,
                    .identity = true});
    visitor.option(
        "temperature", temperature,
        {.meaning = "of the generator's samples", .min = 1e-3, .max = 1e3, .identity = true});
    visitor.option(
        "disallow_correct", disallow_correct,
        {.meaning = "never sample the original; else a correct sample counts as original",
         .identity = true});
    visitor.option("replacement", replacement,
                   {.meaning = "where samples come from; uniform: any token, no generator loss",
                    .choices = {"generator", "uniform"},
                    .identity = true});
    visitor.option("variant", variant,
                   {.meaning = "electra; electra_15: loss at masked positions only; replace_mlm: "
                               "predict them from samples; all_tokens_mlm: predict every token",
                    .choices = {"electra", "electra_15", "replace_mlm", "all_tokens_mlm"},
                    .identity = true});
    visitor.option("stage", stage,
                   {.meaning = "what is trained, the other network is frozen; discriminator: "
                               "behind run.init of a generator run",
                    .choices = {"joint", "generator", "discriminator"},
                    .identity = true});
  }
};

class ReplacedTokenDetection : public Objective {
 public:
  using Options = RtdOptions;

  ReplacedTokenDetection(const Options& options, const ObjectiveContext& context)
      : options_(options),
        masking_(options.masking,
                 require_kind(context, "replaced_token_detection", {ModelKind::kReplacedTokens}),
                 "replaced_token_detection"),
        length_(context.sequence_length),
        special_(context.special),
        document_end_(context.document_mask ? context.special.eos : -1) {
    model_ = std::dynamic_pointer_cast<Electra>(context.model);
    register_module("model", model_);
    if (predicts_tokens() && !model_->has_token_head()) {
      fail(ExitCode::kBadConfig, "objective.variant ", options.variant,
           " predicts tokens with the main encoder. Set model.token_head=true");
    }
    if (options.replacement == "uniform" && options.stage == "generator") {
      fail(ExitCode::kBadConfig,
           "objective.stage generator: with objective.replacement=uniform there is no generator to "
           "train. Choose another objective.stage");
    }
    const bool samples = options.replacement == "generator";
    if (samples && options.stage != "joint" && !model_->has_own_tables()) {
      fail(ExitCode::kBadConfig, "objective.stage ", options.stage,
           " trains one network and freezes the other, so they cannot share tables. Set "
           "model.share_embeddings=false");
    }
    const bool generates = samples && options.stage != "discriminator";
    const bool discriminates = options.stage != "generator";
    refuse_unread(options, generates, discriminates);
    if (!generates) model_->freeze_generator();
    if (!discriminates) model_->freeze_main();
    terms_ = {{"generator", generates ? options.generator_weight : 0},
              {"discriminator", discriminates ? options.discriminator_weight : 0}};
    if (predicts_tokens()) terms_[1] = {"tokens", discriminates ? 1.0 : 0.0};
  }

  const std::vector<LossTerm>& terms() const override { return terms_; }

  RowShape row_shape() const override {
    const std::int64_t marks = (special_.cls >= 0) + (special_.sep >= 0);
    return {std::max<std::int64_t>(1, length_ - marks), 0, marks, true};
  }

  Batch prepare(const TokenBatch& tokens) const override {
    Batch batch;
    SequenceBuilder builder;
    std::vector<std::int64_t> rows, targets;
    std::vector<float> noise;
    const bool documents = document_end_ >= 0 || !tokens.pieces.empty();
    for (const Row& row : rows_of(tokens)) {
      for (const auto& text : documents_of(row.tokens, document_end_)) {
        const std::int64_t start = row.start + (text.data() - row.tokens.data());
        RandomStream random = masking_.stream(tokens, row.index, start);
        builder.begin(sequence_key(row.sample_id, start));
        if (special_.cls >= 0) builder.add(special_.cls);
        const std::int64_t first = builder.size();
        builder.add(text);
        for (const std::int64_t at : masking_.choose(text, random)) {
          rows.push_back(first + at);
          targets.push_back(builder.token(first + at));
          builder.token(first + at) = masking_.hide(targets.back(), random);
          noise.push_back(static_cast<float>(random.next_u32() >> 8) * 0x1p-24f);  // never 1
        }
        const bool closed = documents && text.back() == special_.sep;
        if (special_.sep >= 0 && !closed) builder.add(special_.sep);
      }
    }
    const auto predicted = static_cast<std::int64_t>(targets.size());
    batch.positions = batch.real_tokens = builder.size();
    const bool all_positions =
        options_.variant == "electra" || options_.variant == "all_tokens_mlm";
    batch.counts = {predicted, all_positions ? batch.positions : predicted};
    batch.inputs = builder.take();
    batch.target_rows = as_tensor(rows);
    batch.targets = as_tensor(targets);
    batch.noise = as_tensor(noise);
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    const at::Tensor none = at::zeros({}, batch.noise.options());
    at::Tensor generator_loss = none, samples;
    if (batch.counts[1] == 0) return {no_loss(*model_), none};
    if (batch.counts[0] == 0) {
      generator_loss = no_loss(*model_);
      samples = batch.targets;
    } else if (options_.replacement == "uniform") {
      samples = uniform_sample(batch);
    } else {
      const c10::AutoGradMode with_gradient(c10::GradMode::is_enabled() &&
                                            options_.stage != "discriminator");
      const at::Tensor hidden = model_->generator_head_features(
          model_->generate(batch.inputs).index_select(0, batch.target_rows));
      const CrossEntropyExtras extras =
          model_->is_training() ? options_.loss.extras : CrossEntropyExtras{};
      generator_loss =
          linear_cross_entropy(hidden, model_->generator_head(), batch.targets, extras);
      samples = sample(hidden, batch);
    }
    if (options_.stage == "generator") return {generator_loss, none};
    Sequences corrupted = batch.inputs;
    corrupted.tokens = batch.inputs.tokens.index_copy(0, batch.target_rows, samples);
    const at::Tensor features = model_->forward({corrupted, Pattern::kBidirectional});
    return {generator_loss, main_loss(features, samples, corrupted, batch)};
  }

  double flops_per_token(std::int64_t length) const override {
    const double share = options_.masking.mask_prob;
    double main = model_->body_flops_per_token(length), generator = 0;
    if (options_.variant == "replace_mlm") main += share * head_flops(*model_);
    if (options_.variant == "all_tokens_mlm") main += head_flops(*model_);
    if (options_.replacement == "generator") {
      generator = model_->generator_flops_per_token(length) + share * head_flops(*model_);
    }
    if (options_.stage == "generator") return 3.0 * generator;
    if (options_.stage == "discriminator") return 3.0 * main + generator;  // frozen: forward alone
    return 3.0 * (main + generator);
  }

  bool is_likelihood() const override { return false; }
  Model& model() override { return *model_; }

  std::string why_initial_weights() const override {
    if (options_.stage != "discriminator" || options_.replacement != "generator") return {};
    return "objective.stage discriminator leaves the generator as it starts, so it needs a trained "
           "one: of a run with objective.stage=generator, or an imported pair";
  }

  void start_from(const ConfigNode& objective) override {
    const ConfigNode* stage = objective.find("stage");
    if (options_.stage != "discriminator" || !stage || stage->text() != "generator") return;
    if (!model_->copy_generator()) {
      log_info("run.init: the main encoder is not of the generator's size, so it starts afresh");
    }
  }

 private:
  // Names options whose value would change nothing.
  void refuse_unread(const Options& options, bool generates, bool discriminates) const {
    static const Options kDefaults;
    const std::string combination = "with objective.variant " + options.variant +
                                    ", objective.replacement " + options.replacement +
                                    " and objective.stage " + options.stage;
    const auto need = [&](bool read, const char* name, auto value, auto usual) {
      if (read || value == usual) return;
      fail(ExitCode::kBadConfig, "objective.", name, ": nothing reads it ", combination,
           ". Leave it out");
    };
    const bool samples = options.replacement == "generator" && discriminates;
    const bool smooths = options.variant != "all_tokens_mlm" &&
                         (generates || (options.variant == "replace_mlm" && discriminates));
    need(discriminates, "variant", options.variant, kDefaults.variant);
    need(generates, "generator_weight", options.generator_weight, kDefaults.generator_weight);
    need(discriminates && !predicts_tokens(), "discriminator_weight", options.discriminator_weight,
         kDefaults.discriminator_weight);
    need(samples, "temperature", options.temperature, kDefaults.temperature);
    need(discriminates, "disallow_correct", options.disallow_correct, kDefaults.disallow_correct);
    need(smooths, "label_smoothing", options.loss.extras.label_smoothing,
         kDefaults.loss.extras.label_smoothing);
    need(smooths, "z_loss", options.loss.extras.z_loss, kDefaults.loss.extras.z_loss);
  }

  bool predicts_tokens() const {
    return options_.variant == "replace_mlm" || options_.variant == "all_tokens_mlm";
  }

  // Inverse of the cumulative distribution at the batch's noise: draws that depend on the address
  // alone. No gradient passes through them.
  at::Tensor sample(const at::Tensor& hidden, const Batch& batch) {
    const c10::AutoGradMode no_grad(false);
    at::Tensor logits = logits_of(hidden, model_->generator_head()) / options_.temperature;
    if (options_.disallow_correct) {
      logits.scatter_(1, batch.targets.unsqueeze(1), -std::numeric_limits<float>::infinity());
    }
    const at::Tensor cumulative = logits.softmax(-1).cumsum(-1);
    const at::Tensor at_noise =
        batch.noise.unsqueeze(1) * cumulative.narrow(1, cumulative.size(1) - 1, 1);
    return at::searchsorted(cumulative, at_noise, false, true)
        .squeeze(1)
        .clamp_max(cumulative.size(1) - 1);
  }

  // Any token, or any but the original.
  at::Tensor uniform_sample(const Batch& batch) const {
    const std::int64_t skipped = options_.disallow_correct ? 1 : 0;
    const auto size = static_cast<double>(model_->generator_head().vocab_size - skipped);
    const at::Tensor drawn = (batch.noise * size).to(at::kLong);
    return options_.disallow_correct ? drawn + drawn.ge(batch.targets) : drawn;
  }

  at::Tensor main_loss(const at::Tensor& features, const at::Tensor& samples,
                       const Sequences& corrupted, const Batch& batch) {
    if (options_.variant == "replace_mlm") {
      return token_loss(*model_, features, batch, options_.loss);
    }
    if (options_.variant == "all_tokens_mlm") return all_tokens_loss(features, corrupted, batch);
    const at::Tensor replaced = samples.ne(batch.targets);
    if (options_.variant == "electra_15") {
      return sum_binary_cross_entropy(model_->replaced_logits(target_features(features, batch)),
                                      replaced);
    }
    const at::Tensor labels =
        at::zeros_like(corrupted.tokens, at::kBool).index_copy(0, batch.target_rows, replaced);
    return sum_binary_cross_entropy(model_->replaced_logits(features), labels);
  }

  // Every original token: a copy of the input with probability c, else drawn from the softmax.
  at::Tensor all_tokens_loss(const at::Tensor& features, const Sequences& corrupted,
                             const Batch& batch) {
    const OutputHead head = model_->head();
    const at::Tensor hidden = model_->head_features(features);
    const at::Tensor originals =
        batch.inputs.tokens.index_copy(0, batch.target_rows, batch.targets);
    const at::Tensor weight = head.weight.narrow(0, 0, head.vocab_size).to(hidden.scalar_type());
    const at::Tensor logits =
        (at::linear(hidden, weight).to(at::kFloat) + head.bias.narrow(0, 0, head.vocab_size));
    const at::Tensor log_drawn =
        logits.log_softmax(-1).gather(1, originals.unsqueeze(1)).squeeze(1);
    const at::Tensor copied = (-model_->replaced_logits(features)).sigmoid();  // c
    const at::Tensor same = corrupted.tokens.eq(originals).to(at::kFloat);
    const at::Tensor likelihood = copied * same + (1 - copied) * log_drawn.exp();
    return -likelihood.clamp_min(1e-20).log().sum();
  }

  Options options_;
  Masking masking_;
  std::int64_t length_;
  SpecialTokens special_;
  std::int64_t document_end_;  // -1: rows are cut nowhere
  std::vector<LossTerm> terms_;
  std::shared_ptr<Electra> model_;
};

const bool kRegistered = objectives().add<ReplacedTokenDetection>("replaced_token_detection");

}  // namespace
}  // namespace pretrain
