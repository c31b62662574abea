// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019).
//   p -= lr * weight_decay * p
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include "core/optimizer.h"

namespace pretrain {
namespace {

class AdamW : public Optimizer {
 public:
  struct Options {
    std::vector<double> betas{0.9, 0.95};
    double eps = 1e-8;

    void visit(OptionVisitor& visitor) {
      visitor.option(
          "betas", betas,
          {.meaning = "decay of the first and second moment", .min = 0, .max = 0.999999});
      visitor.option("eps", eps,
                     {.meaning = "added to the root of the second moment", .min = 1e-30, .max = 1});
    }
  };

  AdamW(const Options& options, const OptimizerContext& context)
      : options_(options),
        weight_decay_(context.weight_decay),
        parameters_(*context.parameters),
        exp_avg_(at::zeros_like(parameters_.values())),
        exp_avg_sq_(at::zeros_like(parameters_.values())) {
    if (options_.betas.size() != 2) {
      fail(ExitCode::kBadConfig, "optimizer.betas: expected two numbers, got ",
           options_.betas.size());
    }
  }

  void step(double learning_rate, double gradient_scale) override {
    ++updates_;
    const std::int64_t decayed = parameters_.decayed();
    update(0, decayed, weight_decay_, learning_rate, gradient_scale);
    update(decayed, parameters_.trained(), 0.0, learning_rate, gradient_scale);
  }

  std::vector<OptimizerBuffer> state() override {
    return {{"exp_avg", exp_avg_}, {"exp_avg_sq", exp_avg_sq_}};
  }

 private:
  void update(std::int64_t begin, std::int64_t end, double weight_decay, double learning_rate,
              double gradient_scale) {
    if (begin == end) return;
    const auto part = [&](const at::Tensor& flat) {
      return std::vector<at::Tensor>{flat.narrow(0, begin, end - begin)};
    };
    const auto fp32 = parameters_.values().options();
    // The operator divides by its grad_scale argument.
    const auto divisor = gradient_scale == 1.0
                             ? std::nullopt
                             : std::optional<at::Tensor>(at::full({}, 1.0 / gradient_scale, fp32));
    const std::vector<at::Tensor> updates{at::full({}, static_cast<double>(updates_), fp32)};
    at::_fused_adamw_(part(parameters_.values()), part(parameters_.gradients()), part(exp_avg_),
                      part(exp_avg_sq_), {}, updates, learning_rate, options_.betas[0],
                      options_.betas[1], weight_decay, options_.eps, false, false, divisor);
  }

  Options options_;
  double weight_decay_;
  FlatBuffer& parameters_;
  at::Tensor exp_avg_;     // [n]
  at::Tensor exp_avg_sq_;  // [n]
};

const bool kRegistered = optimizers().add<AdamW>("adamw");

}  // namespace
}  // namespace pretrain
