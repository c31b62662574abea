// Several objectives on one model: each sample is given to one of them, drawn by weight. The loss
// is the mean over all targets, whichever objective they are of.

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/base/random.h"
#include "core/objective.h"
#include "objectives/corruption/rows.h"
#include "objectives/token_loss.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kChoice = std::uint64_t{1} << 63;  // apart from the addresses of sequences

// An objective of the mixture with its own options.
struct Part {
  std::string name;
  double weight = 1;
  std::string label;
  std::function<std::unique_ptr<Objective>(const ObjectiveContext&)> make;

  void visit(OptionVisitor& visitor) {
    static const std::vector<std::string> names = fitting_names();
    OptionInfo info{
        .meaning = "objective; its options stand beside it", .required = true, .identity = true};
    for (const std::string& known : names) info.choices.push_back(known.c_str());
    visitor.option("name", name, info);
    visitor.option(
        "weight", weight,
        {.meaning =
             "samples that it gets, against the others; in the loss every target counts the same",
         .min = 0,
         .max = 1e9,
         .identity = true});
    visitor.option(
        "label", label,
        {.meaning = "before the names of its terms", .default_text = "name", .identity = true});
    if (!name.empty()) {
      make = objectives().read(name, visitor);
      return;
    }
    // Which one it is is not known: the options of all are shown, or nothing more is said of them.
    for (const std::string& known : names) objectives().describe(known, visitor);
  }
  const std::string& shown() const { return label.empty() ? name : label; }

 private:
  static std::vector<std::string> fitting_names() {
    std::vector<std::string> names = objectives().names();
    std::erase(names, "mixture");
    return names;
  }
};

class Mixture : public Objective {
 public:
  struct Options {
    std::vector<Part> parts;
    void visit(OptionVisitor& visitor) {
      visitor.list(
          "parts", parts,
          {.meaning = "objectives, [{name: causal_lm, weight: 3}, {name: prefix_lm, prefix: 0.5}]",
           .default_text = "required by mixture",
           .identity = true});
    }
  };

  Mixture(const Options& options, const ObjectiveContext& context) : seed_(context.seed) {
    model_ = register_module("model", context.model);
    std::set<std::string> labels;
    for (const Part& part : options.parts) {
      if (!part.make) fail(ExitCode::kBadConfig, "objective.parts: a part names no objective");
      if (!labels.insert(part.shown()).second) {
        fail(ExitCode::kBadConfig, "objective.parts: two parts are called ", part.shown(),
             ". Give each its own `label:`");
      }
      if (part.weight == 0) continue;
      parts_.push_back(part.make(context));
      total_ += part.weight;
      shares_.push_back(total_);
      for (const LossTerm& term : parts_.back()->terms()) {
        terms_.push_back({part.shown() + "." + term.name, term.weight, std::ssize(parts_) - 1});
      }
    }
    model_->prompt_pattern = Pattern::kCausal;  // parts may differ
    if (parts_.empty()) {
      fail(ExitCode::kBadConfig,
           "objective.parts: expected at least one objective with a weight "
           "above 0. Give e.g. [{name: causal_lm, weight: 3}, {name: prefix_lm}]");
    }
  }

  const std::vector<LossTerm>& terms() const override { return terms_; }

  // The longest row; each objective takes the first tokens of it.
  RowShape row_shape() const override {
    RowShape shape = parts_.front()->row_shape();
    for (const auto& part : parts_) {
      const RowShape own = part->row_shape();
      if (own.tokens > shape.tokens) shape.marks = own.marks;
      shape.overlap = std::min(shape.overlap, own.overlap);
      shape.tokens = std::max(shape.tokens, own.tokens);
      shape.pieces = shape.pieces && own.pieces;
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
      const TokenBatch own = chosen_rows(tokens, rows[p], parts_[p]->row_shape());
      if (own.tokens.numel() > 0) part = parts_[p]->prepare(own);
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
    return per_row([length](const Objective& part) {
             return part.flops_per_token(length) * part.positions_per_row(length);
           }) /
           positions_per_row(length);
  }
  double positions_per_row(std::int64_t length) const override {
    return per_row([length](const Objective& part) { return part.positions_per_row(length); });
  }

  bool is_likelihood() const override { return false; }
  Model& model() override { return *model_; }

 private:
  // The mean over the parts by their shares of the rows.
  template <class Value>
  double per_row(const Value& value) const {
    double mean = 0, before = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      mean += (shares_[p] - before) / total_ * value(*parts_[p]);
      before = shares_[p];
    }
    return mean;
  }

  // What a part that cuts rows by `shape` takes of them.
  static TokenBatch chosen_rows(const TokenBatch& tokens, const std::vector<std::int64_t>& rows,
                                const RowShape& shape) {
    TokenBatch chosen;
    if (tokens.pieces.empty()) {
      const std::int64_t width = std::min(shape.tokens, tokens.tokens.size(1));
      const at::Tensor index = as_tensor(rows);
      chosen.tokens = tokens.tokens.index_select(0, index).narrow(1, 0, width).contiguous();
      if (tokens.others.defined()) {
        chosen.others = tokens.others.index_select(0, index).narrow(1, 0, width).contiguous();
      }
    } else {
      choose_pieces(tokens, rows, shape, chosen);
    }
    for (const std::int64_t row : rows) {
      const auto r = static_cast<std::size_t>(row);
      chosen.sample_ids.push_back(tokens.sample_ids[r]);
      chosen.row_ids.push_back(tokens.row_ids[r]);
      chosen.epochs.push_back(tokens.epochs[r]);
    }
    return chosen;
  }

  // A row's pieces, as far as their text fills what the part makes of a row.
  static void choose_pieces(const TokenBatch& tokens, const std::vector<std::int64_t>& rows,
                            const RowShape& shape, TokenBatch& chosen) {
    constexpr auto kNone = std::size_t(-1);
    std::vector<std::size_t> place(tokens.sample_ids.size(), kNone);  // of a row in `chosen`
    for (std::size_t i = 0; i < rows.size(); ++i) place[static_cast<std::size_t>(rows[i])] = i;
    const auto overlap = static_cast<std::size_t>(shape.overlap);
    std::vector<std::size_t> room(rows.size(), static_cast<std::size_t>(shape.stride()));
    std::vector<std::int64_t> ids;
    const auto* piece_ids = tokens.tokens.const_data_ptr<std::int64_t>();
    for (const RowPiece& piece : tokens.pieces) {
      const auto* begin = piece_ids;
      piece_ids += piece.tokens;
      const std::size_t row = place[piece.row];
      if (row == kNone) continue;
      const std::size_t count = std::min(piece.tokens, room[row] + overlap);
      if (count <= overlap) continue;
      room[row] -= count - overlap;
      chosen.pieces.push_back({row, piece.start, count});
      ids.insert(ids.end(), begin, begin + count);
    }
    chosen.tokens = as_tensor(ids);
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
