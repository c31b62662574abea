// BERT (Devlin et al. 2018) and RoBERTa (Liu et al. 2019).

#include "models/encoder.h"

#include <ATen/ops/empty.h>

#include "models/initialize.h"

namespace pretrain {

PredictionTransform::PredictionTransform(std::int64_t in, std::int64_t out, std::int64_t rows,
                                         Activation activation, double norm_eps,
                                         const ModelContext& context)
    : activation_(activation) {
  dense = register_module("dense", std::make_shared<Linear>(in, out, context.options));
  norm = register_module("norm", std::make_shared<Norm>(NormKind::kLayerNorm, out, norm_eps,
                                                        context.compute, context.options));
  bias = register_parameter("bias", at::empty({rows}, context.options));
}

at::Tensor PredictionTransform::forward(const at::Tensor& x) {
  return norm->forward(activate(dense->forward(x), activation_));
}

TransformerOptions bert_options() {
  TransformerOptions options;
  options.activation = "gelu";
  options.norm_eps = 1e-12;
  options.norm_place = "post";
  options.init = "truncated_normal";
  return options;
}

void require_tied(const TransformerOptions& options) {
  if (options.tie_embeddings) return;
  fail(ExitCode::kBadConfig,
       "model.tie_embeddings: an encoder's output matrix is its input table. ",
       "Remove the option");
}

void Encoder::Options::visit(OptionVisitor& visitor) {
  transformer.visit(visitor);
  visitor.option(
      "pooler", pooler,
      {.meaning = "head for pairs of sentences (objective.next_sentence)", .identity = true});
}

Encoder::Encoder(const Options& options, const ModelContext& context)
    : options_(options.transformer),
      vocab_size_(context.vocab_size),
      max_positions_(options_.positions(context)),
      activation_bytes_(options_.activation_bytes_per_token(context.compute, context.recompute)) {
  require_tied(options_);
  Embeddings::Shape tables;
  tables.segments = options.segments;
  tables.norm = !options_.pre_norm();
  if (options.counts_behind_pad) tables.offset = context.pad_id >= 0 ? context.pad_id + 1 : 2;
  embeddings_ =
      register_module("embeddings", std::make_shared<Embeddings>(options_, tables, context));
  TransformerStack::Shape shape;
  shape.final_norm = options_.pre_norm();
  stack_ = register_module("stack", std::make_shared<TransformerStack>(options_, shape, context));
  prediction_ = register_module(
      "prediction",
      std::make_shared<PredictionTransform>(
          options_.hidden, options_.embedding_width(), options_.padded_vocab(vocab_size_),
          activation_by_name(options_.activation), options_.norm_eps, context));
  if (!options.pooler) return;
  pooler_ = register_module(
      "pooler", std::make_shared<Linear>(options_.hidden, options_.hidden, context.options));
  classifier_ =
      register_module("classifier", std::make_shared<Linear>(options_.hidden, 2, context.options));
}

at::Tensor Encoder::forward(const ModelInput& input) {
  check_lengths(input.sequences, 0, max_positions_);
  return stack_->forward(embeddings_->forward(input.sequences, 0), input.sequences, input.pattern);
}

at::Tensor Encoder::head_features(const at::Tensor& features) {
  return prediction_->forward(features);
}

OutputHead Encoder::head() { return {embeddings_->token, prediction_->bias, vocab_size_}; }

at::Tensor Encoder::sequence_logits(const at::Tensor& first) {
  return classifier_->forward(pooler_->forward(first).tanh()).to(at::kFloat);
}

void Encoder::initialize(std::uint64_t seed) { initialize_transformer(*this, options_, seed); }

double Encoder::body_flops_per_token(std::int64_t length) const {
  return options_.flops_per_token(length, 1);
}

double Encoder::activation_bytes_per_token() const { return activation_bytes_; }

namespace {

struct Bert : Encoder {
  struct Options : Encoder::Options {
    Options() { transformer = bert_options(); }
  };
  Bert(const Options& options, const ModelContext& context) : Encoder(options, context) {}
};

struct Roberta : Encoder {
  struct Options : Encoder::Options {
    Options() {
      transformer = bert_options();
      transformer.norm_eps = 1e-5;
      segments = 1;
      counts_behind_pad = true;
    }
  };
  Roberta(const Options& options, const ModelContext& context) : Encoder(options, context) {}
};

const bool kRegistered = models().add<Bert>("bert") && models().add<Roberta>("roberta");

}  // namespace
}  // namespace pretrain
