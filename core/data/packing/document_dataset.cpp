#include "core/data/packing/document_dataset.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/data/packing/fit.h"

namespace pretrain {
namespace {

// So many rows of similar length come together: enough for a micro batch, few enough for a mix.
constexpr std::uint64_t kLengthGroup = 64;

Fitted fit(Packing packing, const std::vector<std::uint32_t>& sizes, std::uint32_t capacity) {
  if (packing == Packing::kFirstFit) return fit_first(sizes, capacity);
  if (packing == Packing::kBestFit) return fit_best(sizes, capacity);
  return fit_one_each(sizes);
}

}  // namespace

DocumentDataset::DocumentDataset(Packing packing, const std::vector<CorpusSplit>& shards,
                                 const RowShape& shape)
    : shape_(shape), group_(packing == Packing::kDocuments ? kLengthGroup : 1) {
  for (const auto& [corpus, split] : shards) {
    for (const DocumentRange& range : corpus->split(split)) {
      if (range.begin == range.end) continue;
      ranges_.push_back({corpus, range.begin, documents()});
      statistics_.documents += range.end - range.begin;
    }
  }
  statistics_.row_positions = static_cast<std::uint64_t>(shape.capacity());
  row_of_rest_.resize(documents());
  for (std::uint64_t w = 0; w * kPackingWindow < documents(); ++w) lay_out(packing, w);
  if (size() == 0) {
    fail(ExitCode::kBadData, shards.at(0).corpus->path(), ": split ", shards[0].split, " has ",
         documents(), " documents, none with more than ", shape.overlap,
         " tokens. Choose another split or add text");
  }
}

DocumentDataset::Cut DocumentDataset::cut(const Corpus& corpus, std::uint64_t document) const {
  Cut cut{&corpus, corpus.document_begin(document), 0, 0, 0};
  cut.tokens = corpus.document_begin(document + 1) - cut.begin;
  const auto overlap = static_cast<std::uint64_t>(shape_.overlap);
  const auto stride = static_cast<std::uint64_t>(shape_.stride());
  if (cut.tokens <= overlap) return cut;
  cut.full = (cut.tokens - overlap) / stride;
  cut.rest = cut.tokens - cut.full * stride;
  if (cut.rest <= overlap) cut.rest = 0;
  return cut;
}

void DocumentDataset::visit_window(std::uint64_t window, const CutFunction& visit) const {
  std::uint64_t number = window * kPackingWindow;
  const std::uint64_t end = std::min(number + kPackingWindow, documents());
  auto range = std::prev(std::upper_bound(
      ranges_.begin(), ranges_.end(), number,
      [](std::uint64_t value, const Range& candidate) { return value < candidate.number; }));
  for (; number < end; ++range) {
    const auto next = std::next(range);
    const std::uint64_t last = next == ranges_.end() ? end : std::min(end, next->number);
    for (; number < last; ++number) {
      if (!visit(number, cut(*range->corpus, range->begin + (number - range->number)))) return;
    }
  }
}

void DocumentDataset::lay_out(Packing packing, std::uint64_t window) {
  const auto overlap = static_cast<std::uint64_t>(shape_.overlap);
  const auto marks = static_cast<std::uint64_t>(shape_.marks);
  std::vector<std::uint32_t> sizes;
  std::uint64_t full_rows = 0;
  visit_window(window, [&](std::uint64_t, const Cut& document) {
    const std::uint64_t pieces = document.full + (document.rest > 0 ? 1 : 0);
    const std::uint64_t rest = document.rest > 0 ? document.rest - overlap : 0;
    const std::uint64_t text = document.full * static_cast<std::uint64_t>(shape_.stride()) + rest;
    sizes.push_back(static_cast<std::uint32_t>(rest > 0 ? rest + marks : 0));
    full_rows += document.full;
    text_positions_ += text;
    statistics_.filled += text + pieces * marks;
    statistics_.sequences += pieces;
    statistics_.cut_documents += pieces > 1 ? 1 : 0;
    statistics_.unused_tokens += pieces == 0 ? document.tokens : 0;
    return true;
  });
  const Fitted fitted = fit(packing, sizes, static_cast<std::uint32_t>(shape_.capacity()));
  std::copy(fitted.row_of.begin(), fitted.row_of.end(),
            row_of_rest_.begin() + static_cast<std::ptrdiff_t>(window * kPackingWindow));
  windows_.push_back({size(), full_rows});
  statistics_.rows += full_rows + fitted.rows;
}

std::size_t DocumentDataset::row_tokens() const { return static_cast<std::size_t>(shape_.tokens); }

std::uint64_t DocumentDataset::group() const { return group_; }

void DocumentDataset::read(std::uint64_t index, std::span<std::int64_t>) const {
  fail(ExitCode::kInternal, "row ", index, " is not one sequence");
}

std::vector<TokenPlace> DocumentDataset::places(std::uint64_t index) const {
  if (index >= size()) fail(ExitCode::kInternal, "row ", index, " of ", size());
  const auto after = std::upper_bound(
      windows_.begin(), windows_.end(), index,
      [](std::uint64_t value, const Window& window) { return value < window.first_row; });
  const auto window = static_cast<std::uint64_t>(after - windows_.begin()) - 1;
  std::uint64_t row = index - windows_[window].first_row;
  std::vector<TokenPlace> found;
  if (row < windows_[window].full_rows) {
    visit_window(window, [&](std::uint64_t, const Cut& document) {
      if (row >= document.full) {
        row -= document.full;
        return true;
      }
      found.push_back({document.corpus,
                       document.begin + row * static_cast<std::uint64_t>(shape_.stride()),
                       static_cast<std::uint64_t>(shape_.tokens)});
      return false;
    });
    return found;
  }
  row -= windows_[window].full_rows;
  visit_window(window, [&](std::uint64_t number, const Cut& document) {
    if (document.rest > 0 && row_of_rest_[number] == row) {
      found.push_back(
          {document.corpus, document.begin + (document.tokens - document.rest), document.rest});
    }
    return true;
  });
  return found;
}

}  // namespace pretrain
