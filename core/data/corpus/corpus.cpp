#include "core/data/corpus/corpus.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <type_traits>

#include "core/base/digest.h"
#include "core/base/each_simd.h"
#include "core/base/error.h"
#include "core/base/files/file.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kSampledShare = 100;  // kSampled compares one block in so many

bool begins_before(const DocumentRange& a, const DocumentRange& b) { return a.begin < b.begin; }

// HDF5 promises no alignment of a dataset in its file.
template <class T>
T load(std::span<const std::byte> bytes, std::uint64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

// Widens and returns the largest id.
template <class T>
inline __attribute__((always_inline)) T widen_all(const std::byte* in,
                                                  std::span<std::int64_t> out) {
  T largest = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    T id;
    std::memcpy(&id, in + i * sizeof id, sizeof id);
    largest = std::max(largest, id);
    out[i] = id;
  }
  return largest;
}

// The oldest instruction set has no maximum of 16-bit numbers.
PRETRAIN_EACH_SIMD std::uint64_t widen_u16(const std::byte* in, std::span<std::int64_t> out) {
  return widen_all<std::uint16_t>(in, out);
}
PRETRAIN_EACH_SIMD std::uint64_t widen_u32(const std::byte* in, std::span<std::int64_t> out) {
  return widen_all<std::uint32_t>(in, out);
}

}  // namespace

std::shared_ptr<const Corpus> Corpus::open(const std::string& path, CorpusVerification mode,
                                           const ProgressFunction& progress, VerifyShare share) {
  {
    constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
    const MappedFile file(path);  // before its manifest is missed
    const auto* begin = reinterpret_cast<const char*>(file.bytes().data());
    if (!std::filesystem::exists(manifest_path(path)) &&
        !std::string_view(begin, file.bytes().size()).starts_with(kSignature)) {
      fail(ExitCode::kBadData, path,
           ": is no HDF5 file. Make a corpus of text: pretrain corpus build "
           "NAME.h5 --tokenizer byte ",
           path);
    }
  }
  return std::make_shared<const Corpus>(path, read_manifest(path), mode, progress, share);
}

Corpus::Corpus(const std::string& path, CorpusManifest manifest, CorpusVerification mode,
               const ProgressFunction& progress, VerifyShare share)
    : manifest_(std::move(manifest)), file_(path) {
  if (file_.bytes().size() != manifest_.bytes) {
    fail(ExitCode::kBadData, path, ": has ", file_.bytes().size(), " bytes, its manifest says ",
         manifest_.bytes, ". Copy corpus and manifest again");
  }
  check_table(manifest_.table, manifest_.bytes, path);
  tokens_ = dataset(kTokensPath);
  doc_offsets_ = dataset(kDocOffsetsPath);
  doc_bytes_ = dataset(kDocBytesPath);
  doc_source_ = dataset(kDocSourcePath);

  if (mode == CorpusVerification::kAuto) {
    mode = manifest_.bytes <= kFullVerifyBytes ? CorpusVerification::kFull
                                               : CorpusVerification::kSampled;
  }
  if (mode == CorpusVerification::kFull) {
    verify_blocks(share.part, share.parts, progress);
  } else if (mode == CorpusVerification::kSampled) {
    verify_tables();
    const std::uint64_t first = manifest_.table.datasets.at(kTokensPath).offset / kBlockBytes;
    verify_blocks(first + share.part * kSampledShare, share.parts * kSampledShare, progress);
  }
  if (mode != CorpusVerification::kSizes) check_documents();
  check_splits();
  file_.advise_random(tokens_);
}

std::span<const std::byte> Corpus::dataset(const std::string& name) const {
  const auto found = manifest_.table.datasets.find(name);
  if (found == manifest_.table.datasets.end()) return {};
  return file_.bytes().subspan(found->second.offset, found->second.bytes);
}

void Corpus::verify_blocks(std::uint64_t begin, std::uint64_t stride,
                           const ProgressFunction& progress) const {
  for (std::uint64_t block = begin; block < manifest_.blocks.size(); block += stride) {
    const std::uint64_t offset = block * kBlockBytes;
    const std::uint64_t bytes = std::min(kBlockBytes, manifest_.bytes - offset);
    if (xxh3_128_hex(file_.bytes().subspan(offset, bytes)) != manifest_.blocks[block]) {
      fail(ExitCode::kBadData, path(), ": block ", block, " (from byte ", offset,
           ") differs from its manifest. Copy it again or see: pretrain corpus verify ", path());
    }
    if (progress) progress({"verifying", offset + bytes, manifest_.bytes});
  }
}

void Corpus::verify_tables() const {
  for (const auto& [name, entry] : manifest_.table.datasets) {
    if (name != kTokensPath && xxh3_128_hex(dataset(name)) != entry.xxh3_128) {
      fail(ExitCode::kBadData, path(), ": ", name,
           " differs from its manifest. Copy it again or see: pretrain corpus verify ", path());
    }
  }
}

void Corpus::check_documents() const {
  for (std::uint64_t d = 0; d <= documents(); ++d) document_begin(d);
  std::uint64_t bytes = 0;
  for (std::uint64_t d = 0; has_document_bytes() && d < documents(); ++d) {
    bytes += document_bytes(d);
  }
  if (bytes != attributes().bytes) {
    fail(ExitCode::kBadData, path(), ": ", kDocBytesPath, " adds up to ", bytes,
         ", expected the attribute bytes ", attributes().bytes, ". Build the corpus again");
  }
}

// Splits are usually in ascending order: they are merged where they lie, without a copy.
void Corpus::check_splits() const {
  std::vector<std::vector<DocumentRange>> sorted;
  std::vector<std::pair<DocumentRanges::Iterator, DocumentRanges::Iterator>> left;
  for (const std::string& name : splits()) {
    DocumentRanges ranges = split(name);
    std::uint64_t last = 0;
    bool ascending = true;
    for (const DocumentRange& range : ranges) {
      if (range.begin > range.end || range.end > documents()) {
        fail(ExitCode::kBadData, path(), ": split ", name, " has the documents ", range.begin,
             " to ", range.end, ", expected a range within 0 to ", documents(),
             ". Build the corpus again");
      }
      if (document_begin(range.begin) > document_begin(range.end)) {
        fail(ExitCode::kBadData, path(), ": ", kDocOffsetsPath, " falls between ", range.begin,
             " and ", range.end, ". Build the corpus again");
      }
      ascending = ascending && range.begin >= last;
      last = range.begin;
    }
    if (!ascending) {
      auto& copy = sorted.emplace_back(ranges.begin(), ranges.end());
      std::sort(copy.begin(), copy.end(), begins_before);
      ranges = DocumentRanges(std::as_bytes(std::span(copy)));
    }
    if (ranges.begin() != ranges.end()) left.emplace_back(ranges.begin(), ranges.end());
  }
  std::uint64_t end = 0;
  while (!left.empty()) {
    const auto next = std::min_element(left.begin(), left.end(), [](const auto& a, const auto& b) {
      return begins_before(*a.first, *b.first);
    });
    const DocumentRange range = *next->first;
    if (range.begin < end && range.begin != range.end) {
      fail(ExitCode::kBadData, path(), ": document ", range.begin,
           " is in two splits, or twice in one. Build the corpus again");
    }
    end = std::max(end, range.end);
    if (++next->first == next->second) left.erase(next);
  }
}

std::vector<std::string> Corpus::splits() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : manifest_.table.datasets) {
    if (name.starts_with(kSplitsPath)) names.push_back(name.substr(std::strlen(kSplitsPath)));
  }
  return names;
}

std::vector<Corpus::SplitSize> Corpus::split_sizes() const {
  std::vector<SplitSize> sizes;
  for (const std::string& name : splits()) {
    SplitSize& size = sizes.emplace_back(SplitSize{.name = name});
    for (const DocumentRange& range : split(name)) {
      size.documents += range.end - range.begin;
      size.tokens += document_begin(range.end) - document_begin(range.begin);
    }
  }
  return sizes;
}

DocumentRanges Corpus::split(const std::string& name) const {
  if (!manifest_.table.datasets.contains(kSplitsPath + name)) {
    std::string known;
    for (const std::string& split : splits()) known += (known.empty() ? "" : ", ") + split;
    fail(ExitCode::kBadData, path(), ": has no split ", name, ". Splits here: ", known);
  }
  static_assert(std::is_trivially_copyable_v<DocumentRange> && sizeof(DocumentRange) == 16);
  return DocumentRanges(dataset(kSplitsPath + name));
}

std::uint64_t Corpus::document_begin(std::uint64_t d) const {
  const auto offset = load<std::uint64_t>(doc_offsets_, d);
  const std::uint64_t low = d == documents() ? tokens()
                            : d == 0         ? 0
                                             : load<std::uint64_t>(doc_offsets_, d - 1);
  const std::uint64_t high = d == 0 ? 0 : tokens();
  if (offset < low || offset > high) {
    fail(ExitCode::kBadData, path(), ": ", kDocOffsetsPath, "[", d, "] is ", offset, ", expected ",
         low, " to ", high, ". Build the corpus again");
  }
  return offset;
}

std::uint32_t Corpus::document_bytes(std::uint64_t d) const {
  return load<std::uint32_t>(doc_bytes_, d);
}

std::size_t Corpus::document_source(std::uint64_t d) const {
  const std::size_t source = load<std::uint16_t>(doc_source_, d);
  if (source >= attributes().sources.size()) {
    fail(ExitCode::kBadData, path(), ": ", kDocSourcePath, "[", d, "] is ", source,
         ", the attribute sources has ", attributes().sources.size(),
         " names. Build the corpus again");
  }
  return source;
}

void Corpus::read_tokens(std::uint64_t begin, std::span<std::int64_t> out) const {
  if (begin > tokens() || out.size() > tokens() - begin) {
    fail(ExitCode::kInternal, path(), ": tokens ", begin, " + ", out.size(), " of ", tokens());
  }
  const bool narrow = attributes().dtype == "u16";
  const std::uint64_t largest = narrow ? widen_u16(tokens_.data() + begin * 2, out)
                                       : widen_u32(tokens_.data() + begin * 4, out);
  if (largest >= attributes().vocab_size) {
    fail(ExitCode::kBadData, path(), ": token id ", largest, " between positions ", begin, " and ",
         begin + out.size(), ", expected less than vocab_size ", attributes().vocab_size,
         ". See: pretrain corpus verify --deep ", path());
  }
}

void Corpus::will_read(std::uint64_t begin, std::uint64_t count) const {
  const std::uint64_t width = attributes().dtype == "u16" ? 2 : 4;
  file_.advise_soon(tokens_.subspan(begin * width, count * width));
}

std::uint64_t Corpus::document_at(std::uint64_t position) const {
  std::uint64_t low = 0, high = documents();  // the last one that begins at or before it
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (document_begin(middle) <= position ? low : high) = middle;
  }
  return low;
}

std::unique_ptr<Tokenizer> Corpus::load_tokenizer() const {
  const std::string place = corpus_tokenizer_path(path());
  if (!std::filesystem::exists(place)) {
    fail(ExitCode::kBadData, place, ": the tokenizer of ", path(),
         " is missing. Copy it beside the corpus or give tokenizer.path");
  }
  auto tokenizer = tokenizer_from_json(InputFile::open(place).text(kMaxTokenizerJson), place);
  if (tokenizer->sha256() != tokenizer_sha256()) {
    fail(ExitCode::kBadData, place, ": sha256 is ", tokenizer->sha256(), ", ", path(),
         " was built with ", tokenizer_sha256(), ". Copy both files again");
  }
  return tokenizer;
}

}  // namespace pretrain
