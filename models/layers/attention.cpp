#include "models/layers/attention.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace pretrain {

CausalSelfAttention::CausalSelfAttention(std::int64_t width, std::int64_t heads, std::int64_t layer,
                                         const at::TensorOptions& options)
    : heads_(heads), layer_(layer) {
  qkv = register_module("qkv", std::make_shared<Linear>(width, 3 * width, options));
  output = register_module("output", std::make_shared<Linear>(width, width, options));
}

at::Tensor CausalSelfAttention::forward(const at::Tensor& x, KeyValueCache* cache) {
  const auto batch = x.size(0), length = x.size(1), width = x.size(2);
  const auto parts = qkv->forward(x)
                         .view({batch, length, 3, heads_, width / heads_})
                         .permute({2, 0, 3, 1, 4});  // [3, B, H, T, D]
  const at::Tensor query = parts[0];
  at::Tensor key = parts[1];
  at::Tensor value = parts[2];
  bool continues = false;
  if (cache != nullptr) {
    const auto index = static_cast<std::size_t>(layer_);
    continues = cache->length > 0;
    if (continues) {
      key = at::cat({cache->keys[index], key}, 2);
      value = at::cat({cache->values[index], value}, 2);
    }
    cache->keys[index] = key;
    cache->values[index] = value;
  }
  // A single new position may look at everything before it; longer continuations need the mask's
  // lower right corner.
  const bool causal = !continues;
  std::optional<at::Tensor> mask;
  if (continues && length > 1) {
    mask = at::ones({length, key.size(2)}, at::TensorOptions().dtype(at::kBool).device(x.device()))
               .tril(key.size(2) - length);
  }
  const at::Tensor mixed = at::scaled_dot_product_attention(query, key, value, mask, 0.0, causal);
  return output->forward(mixed.transpose(1, 2).reshape({batch, length, width}));
}

}  // namespace pretrain
