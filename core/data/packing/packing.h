#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/data/token_dataset.h"
#include "core/dataset.h"

namespace pretrain {

/// How documents are laid into rows.
enum class Packing {
  kPacked,     ///< joined and cut every sequence_length: no padding, documents are cut anywhere
  kDocuments,  ///< one document a row, neighbours in length together
  kFirstFit,   ///< several whole documents a row: each into the first row with room for it
  kBestFit,    ///< the same, the longest first, each into the row that it fills best
};

/// Documents that are laid out together; the rows of a window hold nothing from beyond it.
inline constexpr std::uint64_t kPackingWindow = 1024;

/// "packed", "documents", "first_fit", "best_fit".
std::vector<std::string> packing_names();
/// Throws kBadConfig for a name that is none of these.
Packing packing_named(const std::string& name);

/// What rows of a text are like.
struct RowStatistics {
  std::uint64_t documents = 0;
  std::uint64_t cut_documents = 0;  ///< in more than one sequence
  std::uint64_t rows = 0;
  std::uint64_t row_positions = 0;  ///< of a full row
  std::uint64_t filled = 0;         ///< positions with a token or a mark, in all rows
  std::uint64_t sequences = 0;      ///< in all rows
  std::uint64_t unused_tokens = 0;  ///< in no row: too short alone, or behind the last row

  /// Share of the positions that padding would fill, were rows padded.
  double padding() const;
  /// Share of the documents that are cut.
  double truncation() const;
};

/// Rows of a source of one or more shards. Of `kPacked` after one pass over the ranges of the
/// splits (24 bytes of memory each); of the others over the document table (16 bytes a window, 2 a
/// document). Throws kBadData if the text does not fill one row, kBadConfig if `shape` does not
/// allow rows of pieces.
std::unique_ptr<Dataset> pack_rows(Packing packing, const std::vector<CorpusSplit>& shards,
                                   const RowShape& shape);
/// The same text counted; one pass over the document table.
RowStatistics row_statistics(Packing packing, const std::vector<CorpusSplit>& shards,
                             const RowShape& shape);
/// "1,234 rows of 1024 positions, 3.1 % padding; 12 of 345 documents cut (3.5 %);
/// 7 tokens unused"
std::string to_string(const RowStatistics& statistics);

}  // namespace pretrain
