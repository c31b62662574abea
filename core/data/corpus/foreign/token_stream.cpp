#include "core/data/corpus/foreign/token_stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;  // bytes read at once

constexpr std::size_t kLlmcFields = 256;
constexpr std::size_t kLlmcHeader = kLlmcFields * sizeof(std::int32_t);

// The two kinds of llm.c files.
struct LlmcKind {
  std::int32_t magic;
  std::int32_t version;
  TokenType type;
};
constexpr std::array kLlmcKinds = {LlmcKind{20240520, 1, TokenType::kU16},
                                   LlmcKind{20240801, 7, TokenType::kU32}};

// Cuts pieces of a stream into documents.
class Cutter {
 public:
  Cutter(TokenCut cut, DocumentSink& sink) : cut_(cut), sink_(sink) {}

  void add(std::span<const std::uint32_t> ids) {
    while (!ids.empty()) {
      // An id that begins the open document does not end it.
      const std::size_t from = cut_.before && !open_ ? 1 : 0;
      auto found = ids.end();
      if (cut_.id >= 0) {
        found = std::find(ids.begin() + static_cast<std::ptrdiff_t>(from), ids.end(),
                          static_cast<std::uint32_t>(cut_.id));
      }
      auto count = static_cast<std::size_t>(found - ids.begin());
      const bool ends = found != ids.end();
      if (ends && !cut_.before) ++count;
      if (count > 0) sink_.append(ids.first(count));
      open_ = !ends;
      if (ends) sink_.end_document();
      ids = ids.subspan(count);
    }
  }
  void finish() {
    if (open_) sink_.end_document();
    open_ = false;
  }

 private:
  TokenCut cut_;
  DocumentSink& sink_;
  bool open_ = false;  // the last document given to the sink is not ended
};

}  // namespace

TokenFile TokenFile::nanogpt(const std::string& path, TokenType type) {
  InputFile file = InputFile::open(path);
  const std::uint64_t width = token_bytes(type);
  if (file.size() == 0 || file.size() % width != 0) {
    fail(ExitCode::kBadData, path, ": has ", file.size(), " bytes, expected a multiple of ", width,
         " (", token_type_name(type), ") above 0. Copy it again, or give the --dtype it has");
  }
  const std::uint64_t tokens = file.size() / width;
  return {std::move(file), type, 0, tokens};
}

TokenFile TokenFile::llmc(const std::string& path) {
  InputFile file = InputFile::open(path);
  if (file.size() < kLlmcHeader) {
    fail(ExitCode::kBadData, path, ": has ", file.size(), " bytes, expected an llm.c header of ",
         kLlmcHeader, ". Copy it again");
  }
  std::array<std::int32_t, kLlmcFields> header;
  file.read(0, std::as_writable_bytes(std::span(header)));
  const auto kind = std::find_if(kLlmcKinds.begin(), kLlmcKinds.end(),
                                 [&](const LlmcKind& k) { return k.magic == header[0]; });
  if (kind == kLlmcKinds.end()) {
    fail(ExitCode::kBadData, path, ": byte 0: magic number ", header[0],
         ", expected 20240520 or 20240801. This is no llm.c data file; see: pretrain corpus "
         "import --help");
  }
  if (header[1] != kind->version) {
    fail(ExitCode::kBadData, path, ": byte 4: version ", header[1], ", expected ", kind->version,
         " with magic number ", kind->magic, ". Write the file again");
  }
  const std::uint64_t width = token_bytes(kind->type);
  const std::uint64_t bytes = file.size() - kLlmcHeader;
  if (header[2] <= 0 || static_cast<std::uint64_t>(header[2]) * width != bytes) {
    fail(ExitCode::kBadData, path, ": byte 8: ", header[2], " tokens of ", width, " bytes, but ",
         bytes, " bytes follow the header. Copy the file again");
  }
  return {std::move(file), kind->type, kLlmcHeader, static_cast<std::uint64_t>(header[2])};
}

std::vector<std::byte> llmc_header(TokenType type, std::uint64_t tokens, const std::string& place) {
  if (tokens > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
    fail(ExitCode::kBadData, place, ": ", tokens,
         " tokens, an llm.c file counts at most 2147483647. Give --shard-tokens 100000000");
  }
  const auto kind = std::find_if(kLlmcKinds.begin(), kLlmcKinds.end(),
                                 [&](const LlmcKind& k) { return k.type == type; });
  if (kind == kLlmcKinds.end()) {
    fail(ExitCode::kUsage, place, ": llm.c has no files of ", token_type_name(type),
         ". Give u16 or u32");
  }
  std::array<std::int32_t, kLlmcFields> header{};
  header[0] = kind->magic;
  header[1] = kind->version;
  header[2] = static_cast<std::int32_t>(tokens);
  const auto bytes = std::as_bytes(std::span(header));
  return {bytes.begin(), bytes.end()};
}

void read_token_stream(const std::vector<TokenFile>& files, TokenCut cut, std::uint64_t vocab_size,
                       DocumentSink& sink, const ProgressFunction& progress) {
  std::uint64_t total = 0;
  for (const TokenFile& file : files) total += file.file().size();
  std::uint64_t done = 0;
  std::vector<std::byte> raw;
  std::vector<std::uint32_t> ids;
  Cutter cutter(cut, sink);
  for (const TokenFile& file : files) {
    const std::uint64_t end = file.file().size();
    for (std::uint64_t offset = file.begin(); offset < end;) {
      raw.resize(std::min<std::uint64_t>(kPiece, end - offset));
      file.file().read(offset, raw);
      unpack_tokens(file.type(), raw, {file.path(), offset, vocab_size}, ids);
      cutter.add(ids);
      offset += raw.size();
      if (progress) progress({"reading", done + offset, total});
    }
    file.file().require_unchanged();
    done += end;
  }
  cutter.finish();
}

}  // namespace pretrain
