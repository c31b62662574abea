#include "core/data/corpus/foreign/megatron_index.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "core/base/error.h"
#include "core/base/files/file.h"

namespace pretrain {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;  // bytes read at once
constexpr std::string_view kMagic("MMIDIDX\0\0", 9);
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kVersionAt = 9;
constexpr std::size_t kTypeAt = 17;
constexpr std::size_t kSequencesAt = 18;
constexpr std::size_t kEntriesAt = 26;
constexpr std::size_t kHeader = 34;
constexpr const char* kAgain = ". Copy or write the file again";

struct TypeCode {
  std::uint8_t code;
  TokenType type;
};
constexpr std::array kTypeCodes = {TypeCode{8, TokenType::kU16}, TypeCode{4, TokenType::kI32},
                                   TypeCode{5, TokenType::kI64}, TypeCode{3, TokenType::kI16}};

template <class T>
T load(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Places of the arrays behind the header.
std::uint64_t length_at(std::uint64_t s) { return kHeader + s * 4; }
std::uint64_t pointer_at(std::uint64_t sequences, std::uint64_t s) {
  return length_at(sequences) + s * 8;
}
std::uint64_t document_at(std::uint64_t sequences, std::uint64_t d) {
  return pointer_at(sequences, sequences) + d * 8;
}

template <class... Parts>
[[noreturn]] void refuse(const std::string& file, std::uint64_t byte, Parts&&... parts) {
  fail(ExitCode::kBadData, file, ": byte ", byte, ": ", std::forward<Parts>(parts)..., kAgain);
}

}  // namespace

std::string megatron_prefix(const std::string& name) {
  const bool ending = name.ends_with(".bin") || name.ends_with(".idx");
  return ending ? name.substr(0, name.size() - 4) : name;
}

MegatronIndex::MegatronIndex(const std::string& prefix) : file_(prefix + ".idx") {
  const InputFile bin = InputFile::open(prefix + ".bin");
  read_header();
  check_sequences(bin.size(), bin.path());
  check_documents();
  read_modes();
}

void MegatronIndex::read_header() {
  const auto bytes = file_.bytes();
  if (bytes.size() < kHeader) {
    fail(ExitCode::kBadData, file_.path(), ": has ", bytes.size(), " bytes, expected a header of ",
         kHeader, kAgain);
  }
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    refuse(file_.path(), 0, "is no Megatron-LM index, expected MMIDIDX and two zeros");
  }
  const auto version = load<std::uint64_t>(bytes, kVersionAt);
  if (version != kVersion) refuse(file_.path(), kVersionAt, "version ", version, ", expected 1");
  const auto code = load<std::uint8_t>(bytes, kTypeAt);
  const auto found = std::find_if(kTypeCodes.begin(), kTypeCodes.end(),
                                  [&](const TypeCode& c) { return c.code == code; });
  if (found == kTypeCodes.end()) {
    refuse(file_.path(), kTypeAt, "token type ", static_cast<int>(code),
           ", expected 8 (u16), 4 (i32), 5 (i64) or 3 (i16)");
  }
  type_ = found->type;
  sequences_ = load<std::uint64_t>(bytes, kSequencesAt);
  const auto entries = load<std::uint64_t>(bytes, kEntriesAt);
  // Each takes at least 8 bytes, so that no sum below overflows.
  const std::uint64_t most = bytes.size() / 8;
  if (sequences_ > most) {
    refuse(file_.path(), kSequencesAt, sequences_, " sequences do not fit into the ", bytes.size(),
           " bytes of the file");
  }
  if (entries == 0 || entries > most) {
    refuse(file_.path(), kEntriesAt, entries, " entries of the document index, expected 1 to ",
           most);
  }
  documents_ = entries - 1;
  const std::uint64_t expected = document_at(sequences_, entries);
  has_modes_ = sequences_ > 0 && bytes.size() == expected + sequences_;
  if (bytes.size() != expected && !has_modes_) {
    fail(ExitCode::kBadData, file_.path(), ": has ", bytes.size(), " bytes, ", sequences_,
         " sequences (byte ", kSequencesAt, ") and ", entries, " entries of the document index ",
         "(byte ", kEntriesAt, ") take ", expected, ", or ", expected + sequences_, " with modes",
         kAgain);
  }
}

void MegatronIndex::check_sequences(std::uint64_t bin_bytes, const std::string& bin) {
  const std::uint64_t width = token_bytes(type_);
  std::uint64_t end = 0;  // of the sequences so far, in bytes
  for (std::uint64_t s = 0; s < sequences_; ++s) {
    const auto tokens = load<std::int32_t>(file_.bytes(), length_at(s));
    if (tokens < 0) {
      refuse(file_.path(), length_at(s), "sequence ", s, " has the length ", tokens);
    }
    const auto pointer = load<std::int64_t>(file_.bytes(), pointer_at(sequences_, s));
    if (pointer < 0 || static_cast<std::uint64_t>(pointer) != end) {
      refuse(file_.path(), pointer_at(sequences_, s), "the pointer of sequence ", s, " is ",
             pointer, ", expected ", end, ", where the one before ends");
    }
    // At most 2^31 x 8 more each time: cannot overflow before it passes the file's end.
    end += static_cast<std::uint64_t>(tokens) * width;
    if (end > bin_bytes) {
      refuse(file_.path(), length_at(s), "sequence ", s, " of ", tokens, " tokens ends at byte ",
             end, " of ", bin, ", which has ", bin_bytes, " bytes");
    }
  }
  if (end != bin_bytes) {
    fail(ExitCode::kBadData, bin, ": has ", bin_bytes, " bytes, the sequences in ", file_.path(),
         " take ", end, kAgain);
  }
  tokens_ = end / width;
}

void MegatronIndex::check_documents() const {
  std::int64_t last = 0;
  for (std::uint64_t d = 0; d <= documents_; ++d) {
    const auto first = load<std::int64_t>(file_.bytes(), document_at(sequences_, d));
    const auto all = static_cast<std::int64_t>(sequences_);
    const std::int64_t low = d == documents_ ? all : last;
    const std::int64_t high = d == 0 ? 0 : all;
    if (first < low || first > high) {
      refuse(file_.path(), document_at(sequences_, d), "entry ", d, " of the document index is ",
             first, ", expected ", std::min(low, high), " to ", std::max(low, high));
    }
    last = first;
  }
}

void MegatronIndex::read_modes() {
  if (!has_modes_) return;
  const auto modes = file_.bytes().subspan(document_at(sequences_, documents_ + 1));
  other_modes_ =
      sequences_ - static_cast<std::uint64_t>(std::count(modes.begin(), modes.end(), std::byte{0}));
}

std::uint64_t MegatronIndex::first_sequence(std::uint64_t d) const {
  return load<std::uint64_t>(file_.bytes(), document_at(sequences_, d));
}

std::uint64_t MegatronIndex::length(std::uint64_t s) const {
  return load<std::uint32_t>(file_.bytes(), length_at(s));
}

void read_megatron(const std::string& prefix, const MegatronIndex& index, std::uint64_t vocab_size,
                   DocumentSink& sink, const ProgressFunction& progress) {
  const InputFile bin = InputFile::open(prefix + ".bin");
  const std::uint64_t width = token_bytes(index.type());
  if (bin.size() != index.tokens() * width) {
    fail(ExitCode::kBadData, bin.path(), ": changed while it was read. Import it again");
  }
  std::vector<std::byte> raw;
  std::vector<std::uint32_t> ids;
  // Pieces of the file are larger than most documents.
  std::uint64_t offset = 0;
  std::size_t used = 0;
  const auto give = [&](std::uint64_t tokens) {
    while (tokens > 0) {
      if (used == ids.size()) {
        raw.resize(std::min<std::uint64_t>(kPiece, bin.size() - offset));
        bin.read(offset, raw);
        unpack_tokens(index.type(), raw, {bin.path(), offset, vocab_size}, ids);
        offset += raw.size();
        used = 0;
        if (progress) progress({"reading", offset, bin.size()});
      }
      const std::uint64_t count = std::min<std::uint64_t>(tokens, ids.size() - used);
      sink.append(std::span(ids).subspan(used, count));
      used += count;
      tokens -= count;
    }
  };
  for (std::uint64_t d = 0; d < index.documents(); ++d) {
    std::uint64_t tokens = 0;
    for (std::uint64_t s = index.first_sequence(d); s < index.first_sequence(d + 1); ++s) {
      tokens += index.length(s);
    }
    give(tokens);
    sink.end_document();
  }
  bin.require_unchanged();
}

std::vector<std::byte> megatron_header(TokenType type, std::uint64_t sequences,
                                       std::uint64_t documents, const std::string& place) {
  const auto found = std::find_if(kTypeCodes.begin(), kTypeCodes.end(),
                                  [&](const TypeCode& c) { return c.type == type; });
  if (found == kTypeCodes.end()) {
    fail(ExitCode::kUsage, place, ": Megatron-LM has no files of ", token_type_name(type),
         ". Give u16, i16, i32 or i64");
  }
  std::vector<std::byte> header(kHeader);
  const std::uint64_t entries = documents + 1;
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  std::memcpy(header.data() + kVersionAt, &kVersion, sizeof kVersion);
  std::memcpy(header.data() + kTypeAt, &found->code, sizeof found->code);
  std::memcpy(header.data() + kSequencesAt, &sequences, sizeof sequences);
  std::memcpy(header.data() + kEntriesAt, &entries, sizeof entries);
  return header;
}

}  // namespace pretrain
