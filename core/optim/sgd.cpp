// Stochastic gradient descent with momentum and decoupled weight decay.
//   p -= lr * weight_decay * p;  u = momentum u + g;  p -= lr u

#include <ATen/ops/zeros_like.h>

#include "core/optimizer.h"

namespace pretrain {
namespace {

class Sgd : public Optimizer {
 public:
  struct Options {
    double momentum = 0.9;

    void visit(OptionVisitor& visitor) {
      visitor.option("momentum", momentum,
                     {.meaning = "share of the last update that is kept", .min = 0, .max = 1});
    }
  };

  Sgd(const Options& options, const OptimizerContext& context)
      : options_(options), weight_decay_(context.weight_decay), parameters_(*context.parameters) {
    if (options_.momentum > 0) momentum_ = at::zeros_like(parameters_.values());
  }

  void step(double learning_rate, double gradient_scale) override {
    ++updates_;
    // Without gradient a frozen tensor's momentum stays zero, so only the decay has a range.
    at::Tensor values = parameters_.values();
    values.narrow(0, 0, parameters_.decayed()).mul_(1.0 - learning_rate * weight_decay_);
    at::Tensor update = parameters_.gradients();
    if (momentum_.defined()) {
      update = momentum_.mul_(options_.momentum).add_(parameters_.gradients(), gradient_scale);
      gradient_scale = 1.0;
    }
    values.add_(update, -learning_rate * gradient_scale);
  }

  std::vector<OptimizerBuffer> state() override {
    if (!momentum_.defined()) return {};
    return {{"momentum", momentum_}};
  }

 private:
  Options options_;
  double weight_decay_;
  FlatBuffer& parameters_;
  at::Tensor momentum_;  // [n], undefined without momentum
};

const bool kRegistered = optimizers().add<Sgd>("sgd");

}  // namespace
}  // namespace pretrain
