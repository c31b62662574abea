#pragma once

#include <cstdint>
#include <span>

namespace pretrain {

/// Takes documents of token ids, each in one or more pieces.
class DocumentSink {
 public:
  virtual ~DocumentSink() = default;
  virtual void append(std::span<const std::uint32_t> ids) = 0;
  /// The document that the pieces since the last end make up is complete; it may be empty.
  virtual void end_document() = 0;
};

}  // namespace pretrain
