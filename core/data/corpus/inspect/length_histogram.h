#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pretrain {

/// Counts lengths in constant memory (about 1 MB): exactly below 4,096, above in steps of less than
/// 0.05 %.
class LengthHistogram {
 public:
  LengthHistogram();
  void add(std::uint64_t length);

  std::uint64_t count() const { return count_; }
  std::uint64_t shortest() const { return count_ == 0 ? 0 : shortest_; }
  std::uint64_t longest() const { return longest_; }
  /// Smallest length (the lower end of its step) that at least `share` of all lengths do not
  /// exceed; 0 without lengths. `share` in (0, 1].
  std::uint64_t percentile(double share) const;

  struct Bin {
    std::uint64_t begin = 0;  ///< lengths [begin, end)
    std::uint64_t end = 0;
    std::uint64_t count = 0;
  };
  /// Bins [0, 1), [1, 2), [2, 4), [4, 8), ... from the first that is not empty to the last.
  std::vector<Bin> bins() const;
  /// The bins a line each, with bars of at most `width` characters in eighths.
  std::string to_text(std::size_t width) const;

 private:
  std::vector<std::uint64_t> steps_;
  std::uint64_t count_ = 0;
  std::uint64_t shortest_ = UINT64_MAX;
  std::uint64_t longest_ = 0;
};

}  // namespace pretrain
