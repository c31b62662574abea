#include "models/initialize.h"

#include <cmath>
#include <string>

#include "models/layers/initialization.h"

namespace pretrain {
namespace {

bool is_table(const std::string& name) {
  return name.ends_with("token") || name.ends_with("position") || name.ends_with("segment") ||
         name.ends_with("output_table");
}

bool is_residual_output(const std::string& name) {
  return name.ends_with("attention.output.weight") || name.ends_with("cross.output.weight") ||
         name.ends_with("down.weight");
}

double t5_std(const std::string& name, const at::Tensor& weight,
              const TransformerOptions& options) {
  const double d = static_cast<double>(options.hidden);
  if (is_table(name)) return 1;
  if (is_residual_output(name)) return 1 / std::sqrt(static_cast<double>(weight.size(1)));
  return 1 / std::sqrt(d);
}

// The rows of the fused q k v that are queries get a smaller spread, as scores are not scaled.
void shrink_t5_queries(const std::string& name, const at::Tensor& weight,
                       const TransformerOptions& options) {
  const std::int64_t queries = options.heads * options.head_width();
  const double factor = 1 / std::sqrt(static_cast<double>(options.head_width()));
  if (name.ends_with("qkv.weight")) scale(weight.narrow(0, 0, queries), factor);
  if (name.ends_with("cross.q.weight")) scale(weight, factor);
}

}  // namespace

void initialize_transformer(torch::nn::Module& model, const TransformerOptions& options,
                            std::uint64_t seed) {
  const double s = options.init_std;
  const double depth = std::sqrt(2.0 * static_cast<double>(options.layers));
  for (const auto& item : model.named_parameters()) {
    const std::string& name = item.key();
    const at::Tensor& weight = item.value();
    if (weight.dim() == 1) {
      fill(weight, name.ends_with("norm.weight") ? 1.0 : 0.0);
    } else if (options.init == "t5") {
      fill_normal(weight, t5_std(name, weight, options), seed, name);
      shrink_t5_queries(name, weight, options);
    } else if (options.init == "truncated_normal") {
      fill_truncated_normal(weight, s, seed, name);
    } else if (options.init == "xavier" && !is_table(name)) {
      fill_uniform(weight, std::sqrt(6.0 / static_cast<double>(weight.size(0) + weight.size(1))),
                   seed, name);
    } else {
      const bool scaled = options.init == "scaled_normal" && is_residual_output(name);
      fill_normal(weight, scaled ? s / depth : s, seed, name);
    }
  }
}

}  // namespace pretrain
