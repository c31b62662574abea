#include "core/data/corpus/corpus_writer.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "core/base/files/pending_file.h"
#include "core/data/corpus/hdf5_handle.h"

namespace pretrain {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;  // copied or spooled at once, in bytes

constexpr std::uint64_t kHeaderBytes = 64 << 10;  // more than HDF5 adds to the data

std::span<const std::byte> bytes_of(const auto& values) {
  return std::as_bytes(std::span(values.data(), values.size()));
}

// A nameless file that grows in pieces.
class Spool {
 public:
  explicit Spool(const std::string& path) : file_(path) { file_.unlink(); }

  // Appends the values as little-endian T, into which they must fit.
  template <class T, class Value>
  void push(std::span<const Value> values) {
    const std::size_t begin = buffer_.size();
    buffer_.resize(begin + values.size() * sizeof(T));
    std::byte* out = buffer_.data() + begin;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T value = static_cast<T>(values[i]);
      std::memcpy(out + i * sizeof value, &value, sizeof value);
    }
    if (buffer_.size() >= kPiece) flush();
  }
  template <class T>
  void push(T value) {
    push<T>(std::span<const T>(&value, 1));
  }
  void flush() {
    file_.content().write(buffer_);
    written_ += buffer_.size();
    buffer_.clear();
  }
  std::uint64_t bytes() const { return written_ + buffer_.size(); }
  const OutputFile& content() const { return file_.content(); }

 private:
  PendingFile file_;
  std::uint64_t written_ = 0;
  std::vector<std::byte> buffer_;
};

// Creates the HDF5 file with attributes and empty datasets and says where the data go. The data
// themselves are written beside HDF5, which does not report every failed write (measured).
class Hdf5Layout {
 public:
  // `path` is the final name, for messages.
  Hdf5Layout(const std::string& path, const std::string& temporary) : path_(path) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    auto creation = own(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    check(H5Pset_obj_track_times(creation, false));
    auto access = own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    check(H5Pset_file_locking(access, false, true));  // the name is ours alone
    file_.emplace(H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose,
                  ExitCode::kCannotCreate, concat(path, ": HDF5 cannot create the file"));
  }

  void attribute(const char* name, std::uint64_t value) {
    write_attribute(name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
  }
  void attribute(const char* name, std::int64_t value) {
    write_attribute(name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
  }
  void attribute(const char* name, const std::string& value) {
    auto type = own(H5Tcopy(H5T_C_S1), H5Tclose);
    check(H5Tset_size(type, std::max<std::size_t>(value.size(), 1)));
    check(H5Tset_strpad(type, H5T_STR_NULLPAD));
    check(H5Tset_cset(type, H5T_CSET_UTF8));
    write_attribute(name, type, type, value.c_str());
  }
  void group(const char* name) {
    auto creation = own(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    check(H5Pset_obj_track_times(creation, false));
    own(H5Gcreate2(*file_, name, H5P_DEFAULT, creation, H5P_DEFAULT), H5Gclose);
  }
  // `columns` 0: one dimension.
  DatasetEntry dataset(const std::string& name, const std::string& dtype, std::uint64_t rows,
                       std::uint64_t columns) {
    const hid_t type = dtype == "u16"   ? H5T_STD_U16LE
                       : dtype == "u32" ? H5T_STD_U32LE
                                        : H5T_STD_U64LE;
    const hsize_t shape[] = {rows, columns};
    auto space = own(H5Screate_simple(columns == 0 ? 1 : 2, shape, nullptr), H5Sclose);
    auto creation = own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    check(H5Pset_obj_track_times(creation, false));
    check(H5Pset_layout(creation, H5D_CONTIGUOUS));
    check(H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY));
    check(H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER));
    auto dataset =
        own(H5Dcreate2(*file_, name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT),
            H5Dclose);
    DatasetEntry entry;
    entry.dtype = dtype;
    entry.count = rows * std::max<std::uint64_t>(columns, 1);
    entry.bytes = entry.count * H5Tget_size(type);
    const haddr_t offset = H5Dget_offset(dataset);
    check(offset == HADDR_UNDEF ? -1 : 0);
    entry.offset = offset;
    return entry;
  }
  void close() {
    check(H5Fflush(*file_, H5F_SCOPE_GLOBAL));
    if (!file_->close()) check(-1);
  }

 private:
  Hdf5Handle own(hid_t id, herr_t (*closer)(hid_t)) const {
    return Hdf5Handle(id, closer, ExitCode::kCannotCreate, message());
  }
  void check(herr_t status) const {
    if (status < 0) fail(ExitCode::kCannotCreate, message());
  }
  std::string message() const {
    return concat(path_, ": HDF5 cannot write its headers. Check free space and rights");
  }
  void write_attribute(const char* name, hid_t file_type, hid_t memory_type, const void* value) {
    auto space = own(H5Screate(H5S_SCALAR), H5Sclose);
    auto attribute =
        own(H5Acreate2(*file_, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    check(H5Awrite(attribute, memory_type, value));
  }

  std::string path_;
  std::optional<Hdf5Handle> file_;
};

}  // namespace

void check_corpus_output(const std::string& path, bool force) {
  const std::filesystem::path output(path);
  if (output.extension() != ".h5" || output.stem().empty()) {
    fail(ExitCode::kUsage, path, ": a corpus is named NAME.h5. Add .h5");
  }
  for (const std::string& name : {path, manifest_path(path), corpus_tokenizer_path(path)}) {
    std::error_code ignored;
    if (!force && std::filesystem::exists(std::filesystem::symlink_status(name, ignored))) {
      fail(ExitCode::kCannotCreate, name, ": exists already. Choose another name or give --force");
    }
  }
}

struct CorpusWriter::State {
  State(const std::string& output, const CorpusHeader& first)
      : path(output),
        header(first),
        tokens(output),
        doc_offsets(output),
        doc_bytes(output),
        doc_source(output) {
    attributes.dtype = token_dtype(header.vocab_size);
    attributes.tokenizer_sha256 = header.tokenizer_sha256;
    attributes.created_by = header.created_by;
    attributes.vocab_size = header.vocab_size;
    attributes.eos_id = header.eos_id;
    attributes.sources = header.sources;
    doc_offsets.push(std::uint64_t{0});
  }

  void push_tokens(std::span<const std::uint32_t> ids) {
    if (ids.empty()) return;
    const std::uint32_t largest = *std::max_element(ids.begin(), ids.end());
    if (largest >= header.vocab_size) {
      fail(ExitCode::kBadData, path, ": token id ", largest, " in document ", attributes.documents,
           ", expected less than vocab_size ", header.vocab_size, ". Check the tokenizer");
    }
    if (attributes.dtype == "u16") {
      tokens.push<std::uint16_t>(ids);
    } else {
      tokens.push<std::uint32_t>(ids);
    }
    attributes.max_id = std::max<std::uint64_t>(attributes.max_id, largest);
    attributes.tokens += ids.size();
  }

  std::uint64_t spooled() const {
    return tokens.bytes() + doc_offsets.bytes() + doc_bytes.bytes() + doc_source.bytes();
  }
  // The HDF5 file under its temporary name, with zeros for data.
  CorpusTable lay_out(const std::string& temporary,
                      const std::map<std::string, std::vector<DocumentRange>>& splits) const;
  // Fills the datasets from the spools and the splits.
  void fill(OutputFile& file, const CorpusTable& table,
            const std::map<std::string, std::vector<DocumentRange>>& splits,
            const ProgressFunction& progress) const;

  std::string path;
  CorpusHeader header;
  CorpusAttributes attributes;
  Spool tokens;
  Spool doc_offsets;
  Spool doc_bytes;
  Spool doc_source;
};

CorpusTable CorpusWriter::State::lay_out(
    const std::string& temporary,
    const std::map<std::string, std::vector<DocumentRange>>& splits) const {
  CorpusTable table{.attributes = attributes, .datasets = {}};
  Hdf5Layout layout(path, temporary);
  layout.attribute("format", std::string(kCorpusFormat));
  layout.attribute("version", attributes.version);
  layout.attribute("dtype", attributes.dtype);
  layout.attribute("tokenizer_sha256", attributes.tokenizer_sha256);
  layout.attribute("created_by", attributes.created_by);
  layout.attribute("vocab_size", attributes.vocab_size);
  layout.attribute("max_id", attributes.max_id);
  layout.attribute("documents", attributes.documents);
  layout.attribute("tokens", attributes.tokens);
  layout.attribute("bytes", attributes.bytes);
  layout.attribute("eos_id", attributes.eos_id);
  if (!attributes.sources.empty()) layout.attribute("sources", sources_to_json(attributes.sources));
  const auto add = [&](const std::string& name, const char* dtype, std::uint64_t rows,
                       std::uint64_t columns) {
    table.datasets[name] = layout.dataset(name, dtype, rows, columns);
  };
  add(kDocOffsetsPath, "u64", attributes.documents + 1, 0);
  if (header.document_bytes) add(kDocBytesPath, "u32", attributes.documents, 0);
  if (!attributes.sources.empty()) add(kDocSourcePath, "u16", attributes.documents, 0);
  layout.group("/splits");
  for (const auto& [name, ranges] : splits) {
    if (!ranges.empty()) add(kSplitsPath + name, "u64", ranges.size(), 2);
  }
  add(kTokensPath, attributes.dtype.c_str(), attributes.tokens, 0);
  layout.close();
  return table;
}

void CorpusWriter::State::fill(OutputFile& file, const CorpusTable& table,
                               const std::map<std::string, std::vector<DocumentRange>>& splits,
                               const ProgressFunction& progress) const {
  const std::uint64_t total = spooled();
  std::uint64_t done = 0;
  std::vector<std::byte> piece(kPiece);
  const auto copy = [&](const Spool& spool, const char* name) {
    const std::uint64_t offset = table.datasets.at(name).offset;
    for (std::uint64_t at = 0; at < spool.bytes();) {
      const auto part = std::span(piece).first(std::min<std::uint64_t>(kPiece, spool.bytes() - at));
      spool.content().read_back(at, part);
      file.write_at(offset + at, part);
      at += part.size();
      done += part.size();
      if (progress) progress({"writing", done, total});
    }
  };
  copy(doc_offsets, kDocOffsetsPath);
  if (header.document_bytes) copy(doc_bytes, kDocBytesPath);
  if (!attributes.sources.empty()) copy(doc_source, kDocSourcePath);
  copy(tokens, kTokensPath);
  for (const auto& [name, ranges] : splits) {
    if (ranges.empty()) continue;
    static_assert(sizeof(DocumentRange) == 2 * sizeof(std::uint64_t));
    file.write_at(table.datasets.at(kSplitsPath + name).offset, bytes_of(ranges));
  }
}

CorpusWriter::CorpusWriter(const std::string& path, const CorpusHeader& header, bool force) {
  check_corpus_output(path, force);
  const std::size_t names = sources_to_json(header.sources).size();
  if (header.sources.size() > kMaxSources || names > kMaxSourcesBytes) {
    fail(ExitCode::kUsage, path, ": ", header.sources.size(), " sources with names of ", names,
         " bytes, at most ", kMaxSources, " and ", kMaxSourcesBytes,
         " bytes are possible. Give fewer, or shorter names");
  }
  state_ = std::make_unique<State>(path, header);
}

CorpusWriter::~CorpusWriter() = default;

void CorpusWriter::set_eos_id(std::int64_t eos_id) { state_->attributes.eos_id = eos_id; }

std::uint64_t CorpusWriter::documents() const { return state_->attributes.documents; }
std::uint64_t CorpusWriter::tokens() const { return state_->attributes.tokens; }

void CorpusWriter::append(std::span<const std::uint32_t> ids) { state_->push_tokens(ids); }

void CorpusWriter::end_document(std::uint64_t source_bytes, std::size_t source) {
  State& s = *state_;
  if (source_bytes > kMaxDocumentBytes) {
    fail(ExitCode::kBadData, s.path, ": document ", s.attributes.documents, " has ", source_bytes,
         " bytes, at most ", kMaxDocumentBytes, " are possible. Split it");
  }
  if (s.header.append_eos && s.header.eos_id >= 0) {
    const auto eos = static_cast<std::uint32_t>(s.header.eos_id);
    s.push_tokens(std::span(&eos, 1));
  }
  s.doc_offsets.push(s.attributes.tokens);
  if (s.header.document_bytes) s.doc_bytes.push(static_cast<std::uint32_t>(source_bytes));
  if (!s.header.sources.empty()) s.doc_source.push(static_cast<std::uint16_t>(source));
  s.attributes.bytes += source_bytes;
  ++s.attributes.documents;
}

CorpusManifest CorpusWriter::finish(const std::map<std::string, std::vector<DocumentRange>>& splits,
                                    const std::string& tokenizer_json,
                                    const ProgressFunction& progress) {
  State& s = *state_;
  if (s.attributes.documents == 0 || s.attributes.tokens == 0) {
    fail(ExitCode::kBadData, s.path,
         ": the corpus would be empty: no document with a token in the input. Check the input, "
         "--format and --doc-sep");
  }
  for (Spool* spool : {&s.tokens, &s.doc_offsets, &s.doc_bytes, &s.doc_source}) spool->flush();

  PendingFile corpus(s.path);
  // A full disk is found here, before HDF5, whose errors do not tell it from others.
  corpus.content().reserve(s.spooled() + kHeaderBytes);
  const CorpusTable table = s.lay_out(corpus.temporary_path(), splits);
  const std::uint64_t bytes = corpus.content().size();
  check_table(table, bytes, s.path);
  corpus.content().reserve(bytes);
  s.fill(corpus.content(), table, splits, progress);
  corpus.content().sync();

  CorpusManifest manifest = make_manifest(MappedFile(corpus.temporary_path()), table, progress);
  manifest.file = std::filesystem::path(s.path).filename().string();
  std::optional<PendingFile> tokenizer_file;
  if (!tokenizer_json.empty()) {
    tokenizer_file.emplace(corpus_tokenizer_path(s.path));
    tokenizer_file->content().write(tokenizer_json);
    tokenizer_file->content().sync();
  }
  PendingFile manifest_file(manifest_path(s.path));
  manifest_file.content().write(manifest_to_json(manifest));
  manifest_file.content().sync();

  // Without a manifest there is no corpus: an old one goes first, the new one comes last.
  std::filesystem::remove(manifest_path(s.path));
  corpus.publish();
  if (tokenizer_file) {
    tokenizer_file->publish();
  } else {
    std::filesystem::remove(corpus_tokenizer_path(s.path));
  }
  corpus.sync_folder();
  manifest_file.publish();
  corpus.sync_folder();
  return manifest;
}

}  // namespace pretrain
