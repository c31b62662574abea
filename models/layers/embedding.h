#pragma once

#include <ATen/core/Tensor.h>

namespace pretrain {

/// Rows of a table: weight [V, d] fp32, tokens [...] int64 -> [..., d] fp32. The backward pass adds
/// to the touched rows of the table's gradient only.
at::Tensor embed_tokens(const at::Tensor& weight, const at::Tensor& tokens);

}  // namespace pretrain
