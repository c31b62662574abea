#include "core/text/model/byte_pair/merge_table.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"

namespace pretrain {
namespace {

std::string pair_text(const BpeMerge& merge) {
  return json_string(merge.left) + " " + json_string(merge.right);
}

}  // namespace

MergeTable::MergeTable(std::size_t tokens, std::size_t merges, const std::string& place) {
  if (tokens > kMaxTokens || merges > kMaxMerges) {
    fail(ExitCode::kBadData, place, ": ", tokens, " tokens and ", merges,
         " merges, expected at most ", kMaxTokens, " and ", kMaxMerges);
  }
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(2 * merges, 2));
  entries_.assign(size, kEmpty);
  merged_.reserve(merges);
  mask_ = size - 1;
  shift_ = 64 - std::countr_zero(size);
}

MergeTable::MergeTable(const TrieVocabulary& vocabulary, const std::vector<BpeMerge>& merges,
                       const std::string& prefix, const std::string& place)
    : MergeTable(vocabulary.size(), merges.size(), place) {
  const auto id_of = [&](const std::string& token, std::size_t i) {
    const auto id = vocabulary.id_of(token);
    if (!id) {
      fail(ExitCode::kBadData, place, ": merge ", i, " ", pair_text(merges[i]), ": ",
           json_string(token), " is not in the vocabulary");
    }
    return *id;
  };
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const std::uint32_t left = id_of(merges[i].left, i);
    const std::uint32_t right = id_of(merges[i].right, i);
    if (merges[i].right.compare(0, prefix.size(), prefix) != 0) {
      fail(ExitCode::kBadData, place, ": merge ", i, " ", pair_text(merges[i]),
           ": the right part, expected to begin with ", json_string(prefix));
    }
    const std::uint32_t product = id_of(merges[i].left + merges[i].right.substr(prefix.size()), i);
    if (!add(left, right, vocabulary.is_reserved(product) ? kNone : product)) {
      fail(ExitCode::kBadData, place, ": merge ", i, " ", pair_text(merges[i]),
           " comes twice, expected each pair once");
    }
  }
}

bool MergeTable::add(std::uint32_t left, std::uint32_t right, std::uint32_t merged) {
  const std::uint64_t pair = std::uint64_t{left} << 21 | right;
  std::size_t i = place_of(pair);
  for (; entries_[i] != kEmpty; i = (i + 1) & mask_) {
    if (entries_[i] >> kRankBits == pair) return false;
  }
  if (merged != kNone) entries_[i] = pair << kRankBits | merged_.size();
  merged_.push_back(merged);
  return true;
}

}  // namespace pretrain
