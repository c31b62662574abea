// Several objectives on one model: each sample is given to one of them, drawn by weight, and each
// term is divided by its own count.

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>

#include "core/base/random.h"
#include "core/objective.h"
#include "objectives/token_loss.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kChoice = std::uint64_t{1} << 63;  // apart from the addresses of sequences

class Mixture : public Objective {
 public:
  struct Options {
    std::map<std::string, double> weights;
    void visit(OptionVisitor& visitor) {
      visitor.option("weights", weights,
                     {.meaning = "share of the samples by objective, {causal_lm: 3, prefix_lm: 1}",
                      .min = 0,
                      .default_text = "required by mixture",
                      .identity = true});
    }
  };

  Mixture(const Options& options, const ObjectiveContext& context) : seed_(context.seed) {
    model_ = register_module("model", context.model);
    for (const auto& [name, weight] : options.weights) {
      if (name == "mixture") fail(ExitCode::kBadConfig, "objective.weights: mixture in itself");
      if (weight == 0) continue;
      parts_.push_back(objectives().create(name, context));
      total_ += weight;
      shares_.push_back(total_);
      for (const LossTerm& term : parts_.back()->terms()) {
        terms_.push_back({name + "." + term.name, term.weight * weight});
      }
    }
    if (parts_.empty()) {
      fail(ExitCode::kBadConfig,
           "objective.weights: expected at least one objective with a weight "
           "above 0. Give e.g. {causal_lm: 3, prefix_lm: 1}");
    }
    for (LossTerm& term : terms_) term.weight /= total_;
  }

  const std::vector<LossTerm>& terms() const override { return terms_; }

  // The longest row; each objective takes the first tokens of it.
  RowShape row_shape() const override {
    RowShape shape = parts_.front()->row_shape();
    for (const auto& part : parts_) {
      const RowShape own = part->row_shape();
      shape.overlap = std::min(shape.overlap, own.overlap);
      shape.tokens = std::max(shape.tokens, own.tokens);
    }
    return shape;
  }

  bool needs_others() const override {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const auto& part) { return part->needs_others(); });
  }

  Batch prepare(const TokenBatch& tokens) const override {
    std::vector<std::vector<std::int64_t>> rows(parts_.size());
    for (std::size_t r = 0; r < tokens.sample_ids.size(); ++r) {
      RandomStream random(seed_, RandomPurpose::kObjective, kChoice ^ tokens.sample_ids[r]);
      const double u = random.uniform() * total_;
      const auto chosen = std::upper_bound(shares_.begin(), shares_.end() - 1, u);
      rows[static_cast<std::size_t>(chosen - shares_.begin())].push_back(
          static_cast<std::int64_t>(r));
    }
    Batch batch;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      Batch part;
      part.counts.assign(parts_[p]->terms().size(), 0);
      if (!rows[p].empty()) part = parts_[p]->prepare(chosen_rows(tokens, rows[p], p));
      batch.counts.insert(batch.counts.end(), part.counts.begin(), part.counts.end());
      batch.positions += part.positions;
      batch.real_tokens += part.real_tokens;
      batch.parts.push_back(std::move(part));
    }
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    std::vector<at::Tensor> losses;
    const auto device = model_->parameters().front().device();
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (batch.parts[p].sample_ids.empty()) {
        const auto count = parts_[p]->terms().size();
        losses.insert(losses.end(), count, at::zeros({}, at::TensorOptions(device)));
        continue;
      }
      for (const at::Tensor& loss : parts_[p]->loss(batch.parts[p])) losses.push_back(loss);
    }
    return losses;
  }

  double flops_per_token(std::int64_t length) const override {
    double flops = 0, before = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      flops += (shares_[p] - before) / total_ * parts_[p]->flops_per_token(length);
      before = shares_[p];
    }
    return flops;
  }

  bool is_likelihood() const override { return false; }
  Model& model() override { return *model_; }

 private:
  TokenBatch chosen_rows(const TokenBatch& tokens, const std::vector<std::int64_t>& rows,
                         std::size_t part) const {
    const std::int64_t width = std::min(parts_[part]->row_shape().tokens, tokens.tokens.size(1));
    const at::Tensor index =
        at::from_blob(const_cast<std::int64_t*>(rows.data()),
                      {static_cast<std::int64_t>(rows.size())}, at::TensorOptions(at::kLong));
    TokenBatch chosen;
    chosen.tokens = tokens.tokens.index_select(0, index).narrow(1, 0, width).contiguous();
    if (tokens.others.defined()) {
      chosen.others = tokens.others.index_select(0, index).narrow(1, 0, width).contiguous();
    }
    for (const std::int64_t row : rows) {
      const auto r = static_cast<std::size_t>(row);
      chosen.sample_ids.push_back(tokens.sample_ids[r]);
      chosen.row_ids.push_back(tokens.row_ids[r]);
      chosen.epochs.push_back(tokens.epochs[r]);
    }
    return chosen;
  }

  std::uint64_t seed_;
  std::vector<std::unique_ptr<Objective>> parts_;
  std::vector<double> shares_;  // cumulative weights
  double total_ = 0;
  std::vector<LossTerm> terms_;
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<Mixture>("mixture");

}  // namespace
}  // namespace pretrain
