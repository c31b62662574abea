#include "core/data/packing/packing.h"

#include "core/base/error.h"
#include "core/data/packing/document_dataset.h"

namespace pretrain {
namespace {

constexpr struct {
  const char* name;
  Packing packing;
} kPackings[] = {{"packed", Packing::kPacked},
                 {"documents", Packing::kDocuments},
                 {"first_fit", Packing::kFirstFit},
                 {"best_fit", Packing::kBestFit}};

std::uint64_t stride(const RowShape& shape) { return static_cast<std::uint64_t>(shape.stride()); }

// Documents joined: one is cut where a row ends inside it.
RowStatistics joined_statistics(const std::vector<CorpusSplit>& shards, const RowShape& shape) {
  const TokenDataset rows(shards, stride(shape), static_cast<std::uint64_t>(shape.overlap));
  RowStatistics statistics;
  statistics.rows = statistics.sequences = rows.size();
  statistics.row_positions = static_cast<std::uint64_t>(shape.capacity());
  statistics.filled = statistics.rows * statistics.row_positions;
  statistics.unused_tokens =
      rows.tokens() - rows.size() * stride(shape) - static_cast<std::uint64_t>(shape.overlap);
  std::uint64_t begin = 0;
  for (const auto& [corpus, split] : shards) {
    for (const DocumentRange& range : corpus->split(split)) {
      statistics.documents += range.end - range.begin;
      for (std::uint64_t d = range.begin; d < range.end; ++d) {
        const std::uint64_t end = begin + corpus->document_begin(d + 1) - corpus->document_begin(d);
        if (end > begin && begin / stride(shape) != (end - 1) / stride(shape)) {
          ++statistics.cut_documents;
        }
        begin = end;
      }
    }
  }
  return statistics;
}

std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string percent(double share) {
  std::ostringstream text;
  text.precision(1);
  text << std::fixed << 100 * share << " %";
  return text.str();
}

}  // namespace

std::vector<std::string> packing_names() {
  std::vector<std::string> names;
  for (const auto& known : kPackings) names.emplace_back(known.name);
  return names;
}

Packing packing_named(const std::string& name) {
  for (const auto& known : kPackings) {
    if (name == known.name) return known.packing;
  }
  fail(ExitCode::kBadConfig, "data.packing ", name,
       ": expected packed, documents, first_fit or best_fit");
}

double RowStatistics::padding() const {
  if (rows == 0) return 0;
  return 1 - static_cast<double>(filled) /
                 (static_cast<double>(rows) * static_cast<double>(row_positions));
}

double RowStatistics::truncation() const {
  return documents == 0 ? 0 : static_cast<double>(cut_documents) / static_cast<double>(documents);
}

std::unique_ptr<Dataset> pack_rows(Packing packing, const std::vector<CorpusSplit>& shards,
                                   const RowShape& shape) {
  if (packing == Packing::kPacked) {
    return std::make_unique<TokenDataset>(shards, stride(shape),
                                          static_cast<std::uint64_t>(shape.overlap));
  }
  if (!shape.pieces) {
    fail(ExitCode::kBadConfig,
         "data.packing: the objective takes whole rows only. Use data.packing=packed");
  }
  return std::make_unique<DocumentDataset>(packing, shards, shape);
}

RowStatistics row_statistics(Packing packing, const std::vector<CorpusSplit>& shards,
                             const RowShape& shape) {
  if (packing == Packing::kPacked) return joined_statistics(shards, shape);
  return DocumentDataset(packing, shards, shape).statistics();
}

std::string to_string(const RowStatistics& statistics) {
  return concat(grouped(statistics.rows), " rows of ", statistics.row_positions, " positions, ",
                percent(statistics.padding()), " padding; ", grouped(statistics.cut_documents),
                " of ", grouped(statistics.documents), " documents cut (",
                percent(statistics.truncation()), "); ", grouped(statistics.unused_tokens),
                " tokens unused");
}

}  // namespace pretrain
