#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace pretrain {

/// Which documents count as seen before.
struct DuplicateRules {
  bool exact = false;
  /// Jaccard similarity of the sets of word shingles, in (0, 1], from which on a document is a near
  /// duplicate; 0: none is.
  double near = 0;
  std::uint64_t max_bytes = std::uint64_t{4} << 30;  ///< of memory for what was seen

  bool any() const { return exact || near > 0; }
};

/// Hash of a text of 128 bits (XXH3).
using ContentHash = std::array<std::uint64_t, 2>;
ContentHash content_hash(std::string_view text);

/// Hash functions of a MinHash signature, and how they are cut into bands: documents of similarity
/// s become candidates with probability 1 - (1 - s^6)^20: 0.71 at 0.5, 0.998 at 0.8.
inline constexpr std::size_t kBands = 20;
inline constexpr std::size_t kBandRows = 6;
inline constexpr std::size_t kSignature = kBands * kBandRows;

/// Appends the signature of `text` (valid UTF-8): for each of kSignature hash functions the least
/// value over all shingles of 5 words (A-Z as a-z), 16 bits of it (Broder 1997; Li and Konig 2010).
/// The share of equal entries estimates the similarity to about 0.04. Texts of up to 5 words have
/// one shingle.
void append_signature(std::string_view text, std::vector<std::uint16_t>& signature);

/// The documents kept so far, by hash and by signature. About 32 bytes a document for exact
/// duplicates, and 700 for near ones. What it says depends on the order of the documents alone. Not
/// thread-safe.
class DuplicateIndex {
 public:
  explicit DuplicateIndex(const DuplicateRules& rules);
  ~DuplicateIndex();
  DuplicateIndex(const DuplicateIndex&) = delete;
  DuplicateIndex& operator=(const DuplicateIndex&) = delete;

  /// Why the document is one that was kept before, or nullptr: it is kept. A near duplicate shares
  /// a band with a kept document, and at least rules.near of the signature; of documents that share
  /// one band the first 32 are compared. `signature` is empty if rules.near is 0. Throws
  /// kOutOfMemory naming the need before memory exceeds rules.max_bytes.
  const char* add(const ContentHash& content, std::span<const std::uint16_t> signature);
  /// Of memory.
  std::uint64_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pretrain
