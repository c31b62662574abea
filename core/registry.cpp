#include "core/registry.h"

#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"

namespace pretrain {

// Function-local statics: registration happens in static initialisers of other files, in any order.

Registry<Model, ModelContext>& models() {
  static Registry<Model, ModelContext> registry("model");
  return registry;
}

Registry<Objective, ObjectiveContext>& objectives() {
  static Registry<Objective, ObjectiveContext> registry("objective");
  return registry;
}

Registry<Optimizer, OptimizerContext>& optimizers() {
  static Registry<Optimizer, OptimizerContext> registry("optimizer");
  return registry;
}

}  // namespace pretrain
