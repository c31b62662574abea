#include "core/data/mixture/proportional_deal.h"

#include "core/base/error.h"

namespace pretrain {
namespace {

__extension__ using Wide = unsigned __int128;

// round(turns * part / whole), and what is left over of the division.
struct Split {
  std::uint64_t count;
  std::uint64_t rest;
};
Split split(std::uint64_t turns, std::uint64_t part, std::uint64_t whole) {
  const Wide scaled = Wide{turns} * part + whole / 2;
  return {static_cast<std::uint64_t>(scaled / whole), static_cast<std::uint64_t>(scaled % whole)};
}

}  // namespace

ProportionalDeal::ProportionalDeal(const std::vector<std::uint64_t>& weights) {
  before_.push_back(0);
  for (const std::uint64_t weight : weights) {
    std::uint64_t sum = 0;
    if (__builtin_add_overflow(before_.back(), weight, &sum) || sum > INT64_MAX) {
      fail(ExitCode::kInternal, "weights of sources add up to more than 2^63");
    }
    before_.push_back(sum);
  }
  if (before_.back() == 0) fail(ExitCode::kInternal, "all sources weigh 0");
}

ProportionalDeal::Turn ProportionalDeal::at(std::uint64_t turn) const {
  std::size_t begin = 0;
  std::size_t end = sources();
  while (end - begin > 1) {
    const std::size_t middle = begin + (end - begin) / 2;
    const std::uint64_t left = weight(begin, middle);
    const std::uint64_t whole = weight(begin, end);
    if (left == 0 || left == whole) {
      (left == 0 ? begin : end) = middle;
      continue;
    }
    const auto [count, rest] = split(turn, left, whole);
    const bool goes_left = rest >= whole - left;  // the count grows with this turn
    turn = goes_left ? count : turn - count;
    (goes_left ? end : begin) = middle;
  }
  return {begin, turn};
}

std::vector<std::uint64_t> ProportionalDeal::counts(std::uint64_t turns) const {
  std::vector<std::uint64_t> counts(sources(), 0);
  count(0, sources(), turns, counts);
  return counts;
}

void ProportionalDeal::count(std::size_t begin, std::size_t end, std::uint64_t turns,
                             std::vector<std::uint64_t>& counts) const {
  if (weight(begin, end) == 0) return;
  if (end - begin == 1) {
    counts[begin] = turns;
    return;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  const std::uint64_t left = split(turns, weight(begin, middle), weight(begin, end)).count;
  count(begin, middle, left, counts);
  count(middle, end, turns - left, counts);
}

double ProportionalDeal::share(std::size_t source) const {
  return static_cast<double>(weight(source, source + 1)) / static_cast<double>(before_.back());
}

}  // namespace pretrain
