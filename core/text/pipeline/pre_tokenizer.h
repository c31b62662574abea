#pragma once

#include <cstddef>
#include <vector>

#include "core/text/pipeline/normalized_text.h"

namespace pretrain {

/// The bytes [begin, end) of a text.
struct PieceRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const PieceRange&) const = default;
};

/// A normalized text and the words it is cut into so far: ascending, disjoint, none empty. What
/// lies between them is dropped. Starts as one word, the whole text, unless that is empty.
struct Pieces {
  explicit Pieces(NormalizedText whole) : text(std::move(whole)) {
    if (!text.text().empty()) ranges.push_back({0, text.text().size()});
  }
  NormalizedText text;
  std::vector<PieceRange> ranges;
};

/// Cuts each word further, drops parts of it, or rewrites it. Immutable after construction; safe to
/// share between threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void pre_tokenize(Pieces& pieces) const = 0;
};

}  // namespace pretrain
