#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/data/packing/packing.h"

namespace pretrain {

/// Rows of whole documents. A document longer than a row is cut: its full windows are rows of their
/// own, only what is left of it is laid out together with others (Ding et al., "Fewer truncations
/// improve language modeling", 2024). Documents too short to carry a target are in no row.
///
/// Of each window of kPackingWindow documents it keeps where the window begins and the row of each
/// document's rest; the places of a row are found by going over its window once.
class DocumentDataset : public Dataset {
 public:
  /// `packing` is not kPacked. Throws as pack_rows does.
  DocumentDataset(Packing packing, const std::vector<CorpusSplit>& shards, const RowShape& shape);

  std::uint64_t size() const override { return statistics_.rows; }
  std::size_t row_tokens() const override;
  std::uint64_t positions() const override { return text_positions_; }
  bool is_whole() const override { return false; }
  std::uint64_t group() const override;
  void read(std::uint64_t index, std::span<std::int64_t> out) const override;
  std::vector<TokenPlace> places(std::uint64_t index) const override;

  const RowStatistics& statistics() const { return statistics_; }

 private:
  // Documents of one shard that follow one another in the split.
  struct Range {
    std::shared_ptr<const Corpus> corpus;
    std::uint64_t begin;   // document of the corpus
    std::uint64_t number;  // of it in the source
  };
  struct Window {
    std::uint64_t first_row;
    std::uint64_t full_rows;  // rows of one full piece each, before those laid out together
  };
  // A document and what it is cut into.
  struct Cut {
    const Corpus* corpus;
    std::uint64_t begin;   // token
    std::uint64_t full;    // pieces of a whole row
    std::uint64_t rest;    // tokens of the piece behind them; 0: none
    std::uint64_t tokens;  // of the document
  };
  using CutFunction = std::function<bool(std::uint64_t number, const Cut&)>;

  std::uint64_t documents() const { return statistics_.documents; }
  Cut cut(const Corpus& corpus, std::uint64_t document) const;
  // Goes over the documents of a window until `visit` returns false.
  void visit_window(std::uint64_t window, const CutFunction& visit) const;
  void lay_out(Packing packing, std::uint64_t window);

  RowShape shape_;
  std::uint64_t group_;
  std::vector<Range> ranges_;
  std::vector<Window> windows_;
  std::vector<std::uint16_t> row_of_rest_;  // of each document, in its window behind the full rows
  RowStatistics statistics_;
  std::uint64_t text_positions_ = 0;
};

}  // namespace pretrain
