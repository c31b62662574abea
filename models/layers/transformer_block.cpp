#include "models/layers/transformer_block.h"

#include <ATen/ops/add.h>
#include <ATen/ops/gelu.h>

namespace pretrain {

TransformerBlock::TransformerBlock(const BlockShape& shape, std::int64_t layer) {
  const auto norm = [&] {
    return std::make_shared<LayerNorm>(shape.width, shape.norm_eps, shape.compute, shape.options);
  };
  attention_norm = register_module("attention_norm", norm());
  attention = register_module("attention", std::make_shared<CausalSelfAttention>(
                                               shape.width, shape.heads, layer, shape.options));
  ffn_norm = register_module("ffn_norm", norm());
  up = register_module("up", std::make_shared<Linear>(shape.width, shape.ffn, shape.options));
  down = register_module("down", std::make_shared<Linear>(shape.ffn, shape.width, shape.options));
}

at::Tensor TransformerBlock::forward(const at::Tensor& x, KeyValueCache* cache) {
  const at::Tensor mixed = x + attention->forward(attention_norm->forward(x), cache);
  const at::Tensor inner = at::gelu(up->forward(ffn_norm->forward(mixed)), "tanh");
  return mixed + down->forward(inner);
}

}  // namespace pretrain
