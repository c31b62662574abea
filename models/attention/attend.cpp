#include "models/attention/attend.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>
#include <limits>

namespace pretrain {
namespace {

// True where a query may not look: [queries, keys], the first query at position `first`.
at::Tensor hidden(std::int64_t queries, std::int64_t keys, std::int64_t first, std::int64_t prefix,
                  const AttentionRule& rule, c10::Device device) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  const at::Tensor q = at::arange(first, first + queries, options).unsqueeze(1);
  const at::Tensor k = at::arange(keys, options).unsqueeze(0);
  at::Tensor mask =
      rule.pattern == Pattern::kBidirectional ? (k < 0).expand({queries, keys}) : k > q;
  if (rule.window > 0) mask = mask.logical_or(k <= q - rule.window);
  if (rule.window > 0 && rule.pattern == Pattern::kBidirectional) {
    mask = mask.logical_or(k >= q + rule.window);
  }
  if (prefix > 0) mask = mask.logical_and((k >= prefix).logical_or(q >= prefix));
  return mask;
}

// The formula as it stands, for what the fused kernel cannot do. q [B, H, T, D].
at::Tensor attend_in_steps(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           std::int64_t first, std::int64_t prefix,
                           const std::vector<std::uint64_t>& draws, const AttentionRule& rule) {
  at::Tensor scores = at::matmul(q, k.transpose(-2, -1)).to(at::kFloat) * rule.scale;
  const std::int64_t queries = q.size(2), keys = k.size(2);
  if (rule.bias) scores = scores + rule.bias(queries, keys, first);
  const bool all_seen = rule.pattern == Pattern::kBidirectional && rule.window == 0;
  if (!all_seen) {
    scores = scores.masked_fill(hidden(queries, keys, first, prefix, rule, q.device()),
                                -std::numeric_limits<float>::infinity());
  }
  at::Tensor weights = scores.softmax(-1);
  weights = dropout(weights, rule.dropout, rule.address, draws,
                    std::vector<std::int64_t>(draws.size(), 1));
  return at::matmul(weights.to(v.scalar_type()), v);
}

// Sequences of one length: q [B, H, T, D].
at::Tensor attend_rows(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       std::int64_t prefix, const std::vector<std::uint64_t>& draws,
                       const AttentionRule& rule) {
  const bool drops = rule.dropout > 0 && !draws.empty();
  if (rule.bias || drops || rule.window > 0) {
    return attend_in_steps(q, k, v, 0, rule.pattern == Pattern::kPrefix ? prefix : 0, draws, rule);
  }
  const bool causal = rule.pattern != Pattern::kBidirectional;
  const at::Tensor mixed =
      at::scaled_dot_product_attention(q, k, v, std::nullopt, 0.0, causal, rule.scale);
  if (rule.pattern != Pattern::kPrefix || prefix < 2) return mixed;
  // Positions of the prefix see all of it; for those behind it, causal is what they see anyway.
  const auto head = [&](const at::Tensor& x) { return x.narrow(2, 0, prefix); };
  const at::Tensor both_ways = at::scaled_dot_product_attention(
      head(q), head(k), head(v), std::nullopt, 0.0, false, rule.scale);
  const std::int64_t rest = q.size(2) - prefix;
  return rest == 0 ? both_ways : at::cat({both_ways, mixed.narrow(2, prefix, rest)}, 2);
}

at::Tensor repeated(const at::Tensor& x, std::int64_t times) {
  return times == 1 ? x : x.repeat_interleave(times, 1);
}

bool uniform(const std::vector<std::int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [&](std::int64_t v) { return v == values[0]; });
}

// [B T, H, D] -> [B, H, T, D]
at::Tensor as_rows(const at::Tensor& x, std::int64_t rows) {
  return x.view({rows, x.size(0) / rows, x.size(1), x.size(2)}).transpose(1, 2);
}

at::Tensor as_stack(const at::Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0) * x.size(2), x.size(1), x.size(3)});
}

}  // namespace

at::Tensor attend(const at::Tensor& q, const at::Tensor& narrow_k, const at::Tensor& narrow_v,
                  const AttentionBounds& bounds, const AttentionRule& rule) {
  const at::Tensor k = repeated(narrow_k, q.size(1) / narrow_k.size(1));
  const at::Tensor v = repeated(narrow_v, q.size(1) / narrow_v.size(1));
  const auto count = static_cast<std::int64_t>(bounds.queries.size());
  if (uniform(bounds.queries) && uniform(bounds.keys) && uniform(bounds.prefixes)) {
    return as_stack(attend_rows(as_rows(q, count), as_rows(k, count), as_rows(v, count),
                                bounds.prefixes.empty() ? 0 : bounds.prefixes[0], bounds.draws,
                                rule));
  }
  const auto queries = q.split_with_sizes(bounds.queries);
  const auto keys = k.split_with_sizes(bounds.keys);
  const auto values = v.split_with_sizes(bounds.keys);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    std::vector<std::uint64_t> draws;
    if (!bounds.draws.empty()) draws.push_back(bounds.draws[i]);
    parts.push_back(
        as_stack(attend_rows(as_rows(queries[i], 1), as_rows(keys[i], 1), as_rows(values[i], 1),
                             bounds.prefixes.empty() ? 0 : bounds.prefixes[i], draws, rule)));
  }
  return at::cat(parts);
}

at::Tensor attend_onwards(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const AttentionRule& rule) {
  const std::int64_t groups = q.size(1) / k.size(1);
  return as_stack(attend_in_steps(as_rows(q, 1), as_rows(repeated(k, groups), 1),
                                  as_rows(repeated(v, groups), 1), k.size(0) - q.size(0), 0, {},
                                  rule));
}

}  // namespace pretrain
