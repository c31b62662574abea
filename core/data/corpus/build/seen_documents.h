#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/files/directory.h"
#include "core/data/corpus/build/document_spool.h"
#include "core/data/corpus/build/growing_file.h"
#include "core/data/corpus/filter/duplicate_index.h"

namespace pretrain {

/// A DuplicateIndex that survives the process: what it holds stands in a file as well, 16 bytes a
/// document, and 240 more for near duplicates. Not thread-safe.
class SeenDocuments {
 public:
  static constexpr const char* kFile = "seen";

  /// In `folder`; with `before` what stands there goes on. Throws kBadData if that is damaged.
  SeenDocuments(const DuplicateRules& rules, const Directory& folder,
                const std::optional<SpoolState::File>& before);
  /// See DuplicateIndex::add.
  const char* add(const ContentHash& content, std::span<const std::uint16_t> signature);
  /// Makes all that was kept durable and says how far it is.
  SpoolState::File commit();

 private:
  void read_back();
  DuplicateRules rules_;
  DuplicateIndex index_;
  GrowingFile file_;
};

}  // namespace pretrain
