#include "core/data/corpus/build/document_spool.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/data/corpus/corpus_format.h"

namespace pretrain {
namespace {

constexpr const char* kTokenFile = "tokens";
constexpr const char* kOffsetFile = "doc_offsets";
constexpr const char* kSizeFile = "doc_bytes";
constexpr const char* kSourceFile = "doc_source";

GrowingFile take_over(const Directory& folder, const std::string& name, const SpoolState& state) {
  const auto found = state.files.find(name);
  if (found == state.files.end()) {
    fail(ExitCode::kBadData, folder.path_of(name),
         ": is not in the journal. Begin anew with --restart");
  }
  return GrowingFile::take_over(folder, name, found->second.bytes, found->second.digest);
}

}  // namespace

DocumentSpool::DocumentSpool(const std::string& path, const CorpusHeader& header,
                             std::uint64_t shard_tokens, GrowingFile tokens, GrowingFile offsets,
                             GrowingFile sizes, GrowingFile sources)
    : path_(path),
      header_(header),
      shard_tokens_(shard_tokens),
      token_bytes_(header.vocab_size <= kMaxU16Vocab ? 2 : 4),
      shards_(1),
      token_file_(std::move(tokens)),
      offset_file_(std::move(offsets)),
      size_file_(std::move(sizes)),
      source_file_(std::move(sources)) {}

DocumentSpool::DocumentSpool(const std::string& path, const CorpusHeader& header)
    : DocumentSpool(path, header, 0, GrowingFile::nameless(path), GrowingFile::nameless(path),
                    GrowingFile::nameless(path), GrowingFile::nameless(path)) {}

DocumentSpool::DocumentSpool(const std::string& path, const CorpusHeader& header,
                             const Directory& folder, std::uint64_t shard_tokens)
    : DocumentSpool(path, header, shard_tokens, GrowingFile::create(folder, kTokenFile),
                    GrowingFile::create(folder, kOffsetFile),
                    GrowingFile::create(folder, kSizeFile),
                    GrowingFile::create(folder, kSourceFile)) {}

DocumentSpool::DocumentSpool(const std::string& path, const CorpusHeader& header,
                             const Directory& folder, std::uint64_t shard_tokens,
                             const SpoolState& state)
    : DocumentSpool(path, header, shard_tokens, take_over(folder, kTokenFile, state),
                    take_over(folder, kOffsetFile, state), take_over(folder, kSizeFile, state),
                    take_over(folder, kSourceFile, state)) {
  shards_ = state.shards;
  for (const SpoolShard& shard : shards_) {
    documents_ += shard.documents;
    tokens_ += shard.tokens;
  }
  if (shards_.empty() || token_file_.bytes() != tokens_ * token_bytes_ ||
      offset_file_.bytes() != documents_ * sizeof(std::uint64_t)) {
    fail(ExitCode::kBadData, folder.path(),
         ": its journal and its files disagree. Begin anew with --restart");
  }
}

void DocumentSpool::append(std::span<const std::uint32_t> ids) {
  if (ids.empty()) return;
  const std::uint32_t largest = *std::max_element(ids.begin(), ids.end());
  if (largest >= header_.vocab_size) {
    fail(ExitCode::kBadData, path_, ": token id ", largest, " in document ", documents_,
         ", expected less than vocab_size ", header_.vocab_size, ". Check the tokenizer");
  }
  if (token_bytes_ == 2) {
    token_file_.push<std::uint16_t>(ids);
  } else {
    token_file_.push<std::uint32_t>(ids);
  }
  open_max_id_ = std::max<std::uint64_t>(open_max_id_, largest);
  open_tokens_ += ids.size();
}

void DocumentSpool::end_document(std::uint64_t source_bytes, std::size_t source) {
  if (source_bytes > kMaxDocumentBytes) {
    fail(ExitCode::kBadData, path_, ": document ", documents_, " has ", source_bytes,
         " bytes, at most ", kMaxDocumentBytes, " are possible. Split it");
  }
  if (header_.append_eos && header_.eos_id >= 0) {
    const auto eos = static_cast<std::uint32_t>(header_.eos_id);
    append(std::span(&eos, 1));
  }
  if (shard_tokens_ > 0 && shards_.back().tokens > 0 &&
      shards_.back().tokens + open_tokens_ > shard_tokens_) {
    shards_.push_back({.first_document = documents_, .first_token = tokens_});
  }
  SpoolShard& shard = shards_.back();
  shard.max_id = std::max(shard.max_id, open_max_id_);
  shard.tokens += open_tokens_;
  ++shard.documents;
  tokens_ += open_tokens_;
  ++documents_;
  open_tokens_ = open_max_id_ = 0;
  offset_file_.push(tokens_);
  if (header_.document_bytes) {
    size_file_.push(static_cast<std::uint32_t>(source_bytes));
    shard.source_bytes += source_bytes;
  }
  if (!header_.sources.empty()) source_file_.push(static_cast<std::uint16_t>(source));
}

void DocumentSpool::flush() {
  for (GrowingFile* file : {&token_file_, &offset_file_, &size_file_, &source_file_}) {
    file->flush();
  }
}

SpoolState DocumentSpool::commit() {
  SpoolState state{.files = {}, .shards = shards_};
  const std::pair<const char*, GrowingFile*> files[] = {{kTokenFile, &token_file_},
                                                        {kOffsetFile, &offset_file_},
                                                        {kSizeFile, &size_file_},
                                                        {kSourceFile, &source_file_}};
  for (const auto& [name, file] : files) {
    file->sync();
    state.files[name] = {file->bytes(), file->digest()};
  }
  return state;
}

}  // namespace pretrain
