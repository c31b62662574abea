#include "objectives/decoding/scoring.h"

#include <ATen/ops/topk.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <tuple>

#include "models/electra.h"
#include "objectives/corruption/rows.h"
#include "objectives/losses/linear_cross_entropy.h"

namespace pretrain {
namespace {

constexpr std::int64_t kRowsAtATime = 32;

Sequences rows_of(const std::vector<std::vector<std::int64_t>>& rows, c10::Device device) {
  SequenceBuilder builder;
  for (const auto& row : rows) {
    builder.begin(0);
    builder.add(row);
  }
  Sequences sequences = builder.take();
  sequences.tokens = sequences.tokens.to(device);
  sequences.keys.clear();
  return sequences;
}

// log P of the token `targets[i]` in the position of features row `positions[i]`.
std::vector<double> log_probabilities_at(Model& model, const at::Tensor& features,
                                         const std::vector<std::int64_t>& positions,
                                         const std::vector<std::int64_t>& targets) {
  if (positions.empty()) return {};
  const auto device = features.device();
  const at::Tensor hidden =
      model.head_features(features.index_select(0, as_tensor(positions).to(device)));
  const at::Tensor logs = logits_of(hidden, model.head())
                              .to(at::kDouble)
                              .log_softmax(-1)
                              .gather(1, as_tensor(targets).to(device).unsqueeze(1))
                              .to(at::kCPU)
                              .contiguous();
  return {logs.const_data_ptr<double>(), logs.const_data_ptr<double>() + logs.numel()};
}

}  // namespace

std::vector<double> log_likelihoods(Model& model, const std::vector<std::int64_t>& context,
                                    const std::vector<std::int64_t>& text, std::int64_t start_id) {
  const c10::AutoGradMode no_grad(false);
  const auto device = model.head().weight.device();
  std::vector<std::int64_t> positions, targets;
  if (model.kind() == ModelKind::kEncoderDecoder) {
    if (context.empty()) fail(ExitCode::kUsage, "score: an encoder-decoder needs a context");
    std::vector<std::int64_t> decoded{start_id};
    decoded.insert(decoded.end(), text.begin(), text.end() - 1);
    for (std::size_t i = 0; i < text.size(); ++i) {
      positions.push_back(static_cast<std::int64_t>(i));
    }
    const Sequences source = rows_of({context}, device), decoder = rows_of({decoded}, device);
    return log_probabilities_at(model, model.forward({source, Pattern::kCausal, &decoder}),
                                positions, text);
  }
  std::vector<std::int64_t> all = context;
  all.insert(all.end(), text.begin(), text.end());
  const std::size_t first = std::max<std::size_t>(context.size(), 1);
  for (std::size_t i = first; i < all.size(); ++i) {
    positions.push_back(static_cast<std::int64_t>(i) - 1);
    targets.push_back(all[i]);
  }
  all.pop_back();
  if (all.empty()) return {};
  Sequences sequences = rows_of({all}, device);
  sequences.prefixes = {static_cast<std::int64_t>(first)};
  return log_probabilities_at(model, model.forward({sequences, model.prompt_pattern}), positions,
                              targets);
}

std::vector<double> pseudo_log_likelihoods(Model& model, const std::vector<std::int64_t>& row,
                                           std::int64_t first, std::int64_t last,
                                           std::int64_t mask_id) {
  const c10::AutoGradMode no_grad(false);
  const auto device = model.head().weight.device();
  const auto width = static_cast<std::int64_t>(row.size());
  std::vector<double> logs;
  for (std::int64_t begin = first; begin < last; begin += kRowsAtATime) {
    const std::int64_t end = std::min(last, begin + kRowsAtATime);
    std::vector<std::vector<std::int64_t>> rows;
    std::vector<std::int64_t> positions, targets;
    for (std::int64_t at = begin; at < end; ++at) {
      positions.push_back(static_cast<std::int64_t>(rows.size()) * width + at);
      targets.push_back(row[static_cast<std::size_t>(at)]);
      rows.push_back(row);
      rows.back()[static_cast<std::size_t>(at)] = mask_id;
    }
    const Sequences sequences = rows_of(rows, device);
    const auto part = log_probabilities_at(
        model, model.forward({sequences, Pattern::kBidirectional}), positions, targets);
    logs.insert(logs.end(), part.begin(), part.end());
  }
  return logs;
}

std::vector<double> replaced_probabilities(Model& model, const std::vector<std::int64_t>& row) {
  const c10::AutoGradMode no_grad(false);
  auto* electra = dynamic_cast<Electra*>(&model);
  if (electra == nullptr || model.kind() != ModelKind::kReplacedTokens) {
    fail(ExitCode::kUsage, "score: the model is ", to_string(model.kind()),
         ", replaced tokens are told by an encoder with a generator");
  }
  const Sequences sequences = rows_of({row}, model.head().weight.device());
  const at::Tensor chance =
      electra->replaced_logits(model.forward({sequences, Pattern::kBidirectional}))
          .to(at::kCPU, at::kDouble)
          .sigmoid()
          .contiguous();
  return {chance.const_data_ptr<double>(), chance.const_data_ptr<double>() + chance.numel()};
}

std::vector<std::vector<Filling>> fill_masks(Model& model, const std::vector<std::int64_t>& row,
                                             std::int64_t mask_id, std::int64_t count) {
  const c10::AutoGradMode no_grad(false);
  std::vector<std::int64_t> positions;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == mask_id) positions.push_back(static_cast<std::int64_t>(i));
  }
  if (positions.empty()) return {};
  const auto device = model.head().weight.device();
  const Sequences sequences = rows_of({row}, device);
  const at::Tensor features = model.forward({sequences, Pattern::kBidirectional});
  const at::Tensor hidden =
      model.head_features(features.index_select(0, as_tensor(positions).to(device)));
  const at::Tensor chance = logits_of(hidden, model.head()).to(at::kCPU, at::kDouble).softmax(-1);
  const auto [values, ids] = at::topk(chance, std::min(count, chance.size(1)));
  std::vector<std::vector<Filling>> fillings;
  for (std::int64_t place = 0; place < values.size(0); ++place) {
    auto& best = fillings.emplace_back();
    for (std::int64_t i = 0; i < values.size(1); ++i) {
      best.push_back({ids[place][i].item<std::int64_t>(), values[place][i].item<double>()});
    }
  }
  return fillings;
}

}  // namespace pretrain
