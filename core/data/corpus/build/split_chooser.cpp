#include "core/data/corpus/build/split_chooser.h"

#include "core/base/random.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kSplitKey = 0;

void extend(std::vector<DocumentRange>& ranges, std::uint64_t begin, std::uint64_t end) {
  if (begin == end) return;
  if (!ranges.empty() && ranges.back().end == begin) {
    ranges.back().end = end;
  } else {
    ranges.push_back({begin, end});
  }
}

}  // namespace

void SplitChooser::add(std::uint64_t document) {
  const double hash = RandomStream(kSplitKey, RandomPurpose::kSplit, document).uniform();
  if (hash < fraction_) valid_.push_back(document);
  if (hash < smallest_hash_) {
    smallest_hash_ = hash;
    smallest_ = document;
  }
}

CorpusSplits SplitChooser::ranges(std::uint64_t added, std::uint64_t documents) const {
  std::vector<std::uint64_t> chosen = valid_;
  if (chosen.empty() && fraction_ > 0 && added > 1) chosen.push_back(smallest_);
  CorpusSplits splits;
  std::uint64_t begin = 0;
  for (std::uint64_t document : chosen) {
    extend(splits["train"], begin, document);
    extend(splits["valid"], document, document + 1);
    begin = document + 1;
  }
  extend(splits["train"], begin, added);
  extend(splits["valid"], added, documents);
  return splits;
}

}  // namespace pretrain
