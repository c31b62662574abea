#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pretrain {

/// The corpus format, version 1: an HDF5 file with these objects, all datasets contiguous and
/// unfiltered, little-endian.
///   /             attributes, see CorpusAttributes
///   /tokens       u16 if vocab_size <= 65,536, else u32: all documents joined
///   /doc_offsets  u64 [documents + 1]: first 0, never falling, last = tokens
///   /doc_bytes    u32 [documents]: UTF-8 bytes of the source; optional
///   /splits/NAME  u64 [n][2]: half-open document ranges, disjoint
///   /doc_source   u16 [documents]: index into the attribute `sources`; optional
/// Beside NAME.h5 lie NAME.manifest.json, see CorpusManifest, and NAME.tokenizer.json.
inline constexpr const char* kCorpusFormat = "pretrain-corpus";
inline constexpr std::uint64_t kCorpusVersion = 1;
inline constexpr const char* kCorpusManifestFormat = "pretrain-corpus-manifest";
inline constexpr std::uint64_t kCorpusManifestVersion = 1;

inline constexpr const char* kTokensPath = "/tokens";
inline constexpr const char* kDocOffsetsPath = "/doc_offsets";
inline constexpr const char* kDocBytesPath = "/doc_bytes";
inline constexpr const char* kDocSourcePath = "/doc_source";
inline constexpr const char* kSplitsPath = "/splits/";  ///< followed by the name

inline constexpr std::uint64_t kBlockBytes = std::uint64_t{64}
                                             << 20;  ///< digested piece of the file
inline constexpr std::uint64_t kMaxDocumentBytes = UINT32_MAX;
inline constexpr std::uint64_t kMaxCorpusManifestBytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t kMaxVocabSize = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kMaxU16Vocab = 65536;  ///< up to here tokens are u16
inline constexpr std::size_t kMaxSplits = 16;
inline constexpr std::size_t kMaxSplitName = 64;  ///< letters, digits, _ and -
inline constexpr std::size_t kMaxAttributeBytes = 4096;
inline constexpr std::size_t kMaxSources = 65536;
/// Of the attribute `sources`; what a probe answers stays below 64 KiB.
inline constexpr std::size_t kMaxSourcesBytes = 50000;

/// Attributes of `/`: u64, eos_id i64, texts fixed-length UTF-8.
struct CorpusAttributes {
  std::uint64_t version = kCorpusVersion;
  std::string dtype;             ///< of the tokens: "u16" or "u32"
  std::string tokenizer_sha256;  ///< empty: not known
  std::string created_by;        ///< the only attribute that is no part of the fingerprint
  std::uint64_t vocab_size = 0;
  std::uint64_t max_id = 0;
  std::uint64_t documents = 0;
  std::uint64_t tokens = 0;
  std::uint64_t bytes = 0;   ///< sum of doc_bytes; 0 without them
  std::int64_t eos_id = -1;  ///< closes every document; -1: none
  /// Names that /doc_source counts, a JSON list in the file; empty: no such attribute.
  std::vector<std::string> sources = {};
  bool operator==(const CorpusAttributes&) const = default;
};

/// Where a dataset lies in the file.
struct DatasetEntry {
  std::uint64_t offset = 0;  ///< of the first element, in bytes from the start of the file
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;    ///< elements: 2 n for a split
  std::string dtype = {};     ///< "u16", "u32" or "u64"
  std::string xxh3_128 = {};  ///< of the dataset's bytes; empty: not computed
  std::string sha256 = {};
};

/// What HDF5 says of a corpus file.
struct CorpusTable {
  CorpusAttributes attributes;
  std::map<std::string, DatasetEntry> datasets;  ///< by path
};

/// Half-open range of document numbers.
struct DocumentRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const DocumentRange&) const = default;
};

/// The ranges of a split where they lie in a file: u64 [n][2], of any alignment. Borrows the bytes.
class DocumentRanges {
 public:
  explicit DocumentRanges(std::span<const std::byte> table) : table_(table) {}
  struct Iterator {
    using value_type = DocumentRange;
    using difference_type = std::ptrdiff_t;
    DocumentRange operator*() const {
      DocumentRange range;
      std::memcpy(&range, at, sizeof range);
      return range;
    }
    Iterator& operator++() { return at += sizeof(DocumentRange), *this; }
    Iterator operator++(int) { return {std::exchange(at, at + sizeof(DocumentRange))}; }
    bool operator==(const Iterator&) const = default;
    const std::byte* at = nullptr;
  };
  using value_type = DocumentRange;
  using const_iterator = Iterator;
  Iterator begin() const { return {table_.data()}; }
  Iterator end() const { return {table_.data() + table_.size()}; }

 private:
  std::span<const std::byte> table_;
};

/// "u16" or "u32", whichever the format demands of the tokens.
inline const char* token_dtype(std::uint64_t vocab_size) {
  return vocab_size <= kMaxU16Vocab ? "u16" : "u32";
}

}  // namespace pretrain
