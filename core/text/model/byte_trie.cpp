#include "core/text/model/byte_trie.h"

#include <algorithm>
#include <numeric>

namespace pretrain {
namespace {

constexpr std::uint32_t kAlphabet = 256;
// Free units that are tried for a node before it goes to the end of the array: keeps the time of
// building linear for any keys. Nodes of one child, which are most, always fit into the first.
constexpr int kMaxTries = 64;

}  // namespace

// Units not in use form a list in ascending order, whose ends are joined at kNone.
class ByteTrie::Builder {
 public:
  Builder(std::span<const std::string> keys, std::vector<Unit>& units)
      : keys_(keys), units_(units), order_(keys.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return keys_[a] < keys_[b]; });
  }

  void build() {
    units_.resize(kAlphabet);  // the root and what no base reaches
    free_.resize(kAlphabet, false);
    next_.resize(kAlphabet, kNone);
    previous_.resize(kAlphabet, kNone);
    std::vector<Range> open = {{kRoot, 0, order_.size(), 0}};
    while (!open.empty()) {
      Range range = open.back();
      open.pop_back();
      if (range.begin < range.end && key(range.begin).size() == range.depth) {
        units_[range.node].value = order_[range.begin++];
      }
      if (range.begin == range.end) continue;
      const std::vector<Range> children = split(range);
      const std::uint32_t base = place(children);
      units_[range.node].base = base;
      for (Range child : children) {
        child.node += base;
        take(child.node, range.node);
        open.push_back(child);
      }
    }
  }

 private:
  // Keys order_[begin, end) go through `node`; they agree in their first `depth` bytes.
  struct Range {
    Node node;
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };

  const std::string& key(std::size_t i) const { return keys_[order_[i]]; }

  // The ranges of the children; their `node` is the byte that leads to them.
  std::vector<Range> split(const Range& range) const {
    std::vector<Range> children;
    for (std::size_t i = range.begin; i < range.end; ++i) {
      const auto byte = static_cast<unsigned char>(key(i)[range.depth]);
      if (children.empty() || children.back().node != byte) {
        children.push_back({byte, i, i, range.depth + 1});
      }
      children.back().end = i + 1;
    }
    return children;
  }

  std::uint32_t place(const std::vector<Range>& children) {
    const std::uint32_t first = children.front().node;
    int tries = 0;
    for (Node unit = first_free_; unit != kNone && tries < kMaxTries; unit = next_[unit], ++tries) {
      const std::uint32_t base = unit - first;
      if (base + kAlphabet > units_.size()) break;
      if (std::all_of(children.begin(), children.end(),
                      [&](const Range& child) { return free_[base + child.node]; })) {
        return base;
      }
    }
    const auto base = static_cast<std::uint32_t>(units_.size());
    grow(units_.size() + kAlphabet);
    return base;
  }

  void grow(std::size_t size) {
    for (auto unit = static_cast<Node>(units_.size()); unit < size; ++unit) {
      units_.emplace_back();
      free_.push_back(true);
      next_.push_back(kNone);
      previous_.push_back(last_free_);
      (last_free_ == kNone ? first_free_ : next_[last_free_]) = unit;
      last_free_ = unit;
    }
  }

  void take(Node unit, Node parent) {
    units_[unit].parent = parent;
    free_[unit] = false;
    const Node next = next_[unit];
    const Node previous = previous_[unit];
    (previous == kNone ? first_free_ : next_[previous]) = next;
    (next == kNone ? last_free_ : previous_[next]) = previous;
  }

  std::span<const std::string> keys_;
  std::vector<Unit>& units_;
  std::vector<std::uint32_t> order_;  // places of the keys, sorted by text
  std::vector<bool> free_;
  std::vector<Node> next_;
  std::vector<Node> previous_;
  Node first_free_ = kNone;
  Node last_free_ = kNone;
};

ByteTrie::ByteTrie(std::span<const std::string> keys) { Builder(keys, units_).build(); }

std::uint32_t ByteTrie::find(std::string_view key) const {
  Node node = kRoot;
  for (char byte : key) {
    node = step(node, byte);
    if (node == kNone) return kNone;
  }
  return value(node);
}

}  // namespace pretrain
