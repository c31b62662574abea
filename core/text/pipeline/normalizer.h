#pragma once

#include "core/text/pipeline/normalized_text.h"

namespace pretrain {

/// Rewrites a text before it is cut into words: Unicode forms, lower case, cleaning. Immutable
/// after construction; safe to share between threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// `text` is well-formed UTF-8 and stays so.
  virtual void normalize(NormalizedText& text) const = 0;
};

}  // namespace pretrain
