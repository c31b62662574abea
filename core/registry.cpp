#include "core/registry.h"

#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"

namespace pretrain {

// Function-local statics: registration happens in static initialisers of other files, in any order.

Registry<Model, ModelContext>& models() {
  static Registry<Model, ModelContext> registry("model.name");
  return registry;
}

Registry<Objective, ObjectiveContext>& objectives() {
  static Registry<Objective, ObjectiveContext> registry("objective.name");
  return registry;
}

Registry<Optimizer, OptimizerContext>& optimizers() {
  static Registry<Optimizer, OptimizerContext> registry("optimizer.name");
  return registry;
}

}  // namespace pretrain
