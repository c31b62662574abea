#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/config/option_visitor.h"
#include "core/config/span.h"

namespace pretrain {

/// How much of a checkpoint is checked before it is used.
enum class VerifyMode {
  kSizes,  ///< manifest, headers and the size of every file
  kFull,   ///< also the digests of every byte
};

/// The `checkpoint` section of a config.
struct CheckpointOptions {
  Span every = {Span::Unit::kSteps, 1000};
  std::int64_t keep_last = 2;
  std::int64_t keep_best = 1;
  std::optional<Span> keep_every;
  std::int64_t max_failures = 3;
  double free_space = 1.1;
  std::string verify = "full";

  void visit(OptionVisitor& visitor);
  VerifyMode verify_mode() const;
};

}  // namespace pretrain
