#include "core/data/corpus/build/prepared_corpus.h"

#include <hdf5.h>

#include <algorithm>
#include <filesystem>

#include "core/data/corpus/hdf5_handle.h"

namespace pretrain {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;  // copied at once, in bytes
constexpr std::uint64_t kHeaderBytes = 64 << 10;      // more than HDF5 adds to the data

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

CorpusAttributes attributes_of(const DocumentSpool& spool, const SpoolShard& shard) {
  const CorpusHeader& header = spool.header();
  return {.dtype = token_dtype(header.vocab_size),
          .tokenizer_sha256 = header.tokenizer_sha256,
          .created_by = header.created_by,
          .vocab_size = header.vocab_size,
          .max_id = shard.max_id,
          .documents = shard.documents,
          .tokens = shard.tokens,
          .bytes = shard.source_bytes,
          .eos_id = header.eos_id,
          .sources = header.sources};
}

// What of the splits lies in the shard, counted from its first document.
CorpusSplits splits_of(const SpoolShard& shard, const CorpusSplits& splits) {
  CorpusSplits own;
  const std::uint64_t end = shard.first_document + shard.documents;
  for (const auto& [name, ranges] : splits) {
    for (const DocumentRange& range : ranges) {
      const std::uint64_t first = std::max(range.begin, shard.first_document);
      const std::uint64_t last = std::min(range.end, end);
      if (first < last) {
        own[name].push_back({first - shard.first_document, last - shard.first_document});
      }
    }
  }
  return own;
}

// The HDF5 file under its temporary name, with zeros for data.
CorpusTable lay_out(const std::string& path, const std::string& temporary,
                    const CorpusAttributes& attributes, bool document_bytes,
                    const CorpusSplits& splits) {
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
  if (document_bytes) add(kDocBytesPath, "u32", attributes.documents, 0);
  if (!attributes.sources.empty()) add(kDocSourcePath, "u16", attributes.documents, 0);
  layout.group("/splits");
  for (const auto& [name, ranges] : splits) {
    add(kSplitsPath + name, "u64", ranges.size(), 2);
  }
  add(kTokensPath, attributes.dtype.c_str(), attributes.tokens, 0);
  layout.close();
  return table;
}

// Fills the datasets from the spool and the splits.
class Filler {
 public:
  Filler(OutputFile& file, const CorpusTable& table, const ProgressFunction& progress)
      : file_(file), table_(table), progress_(progress) {
    for (const auto& [name, entry] : table.datasets) total_ += entry.bytes;
  }

  void offsets(const GrowingFile& ends, const SpoolShard& shard) {
    const std::uint64_t zero = 0;
    const std::uint64_t at = table_.datasets.at(kDocOffsetsPath).offset;
    file_.write_at(at, std::as_bytes(std::span(&zero, 1)));
    std::vector<std::uint64_t> piece(kPiece / sizeof zero);
    for (std::uint64_t d = 0; d < shard.documents;) {
      const auto part =
          std::span(piece).first(std::min<std::uint64_t>(piece.size(), shard.documents - d));
      ends.read_back((shard.first_document + d) * sizeof zero, std::as_writable_bytes(part));
      for (std::uint64_t& end : part) end -= shard.first_token;
      file_.write_at(at + (d + 1) * sizeof zero, std::as_bytes(part));
      d += part.size();
      report(part.size_bytes());
    }
  }
  void copy(const GrowingFile& spool, std::uint64_t from, const std::string& name) {
    const DatasetEntry& entry = table_.datasets.at(name);
    std::vector<std::byte> piece(std::min<std::uint64_t>(kPiece, entry.bytes));
    for (std::uint64_t at = 0; at < entry.bytes;) {
      const auto part =
          std::span(piece).first(std::min<std::uint64_t>(piece.size(), entry.bytes - at));
      spool.read_back(from + at, part);
      file_.write_at(entry.offset + at, part);
      at += part.size();
      report(part.size());
    }
  }
  void splits(const CorpusSplits& splits) {
    static_assert(sizeof(DocumentRange) == 2 * sizeof(std::uint64_t));
    for (const auto& [name, ranges] : splits) {
      file_.write_at(table_.datasets.at(kSplitsPath + name).offset,
                     std::as_bytes(std::span(ranges)));
    }
  }

 private:
  void report(std::uint64_t bytes) {
    done_ += bytes;
    if (progress_) progress_({"writing", done_, total_});
  }

  OutputFile& file_;
  const CorpusTable& table_;
  const ProgressFunction& progress_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace

PreparedCorpus::PreparedCorpus(const std::string& path, DocumentSpool& spool,
                               const SpoolShard& shard, const CorpusSplits& splits,
                               const TokenizerSidecar& tokenizer, const ProgressFunction& progress)
    : path_(path),
      corpus_(path),
      manifest_file_(manifest_path(path)),
      keep_tokenizer_(tokenizer.keep) {
  spool.flush();
  OutputFile& file = corpus_.content();
  // A full disk is found here, before HDF5, whose errors do not tell it from others.
  file.reserve(shard.tokens * spool.token_bytes() + shard.documents * 14 + kHeaderBytes);
  const CorpusSplits own = splits_of(shard, splits);
  const CorpusTable table = lay_out(path, corpus_.temporary_path(), attributes_of(spool, shard),
                                    spool.header().document_bytes, own);
  const std::uint64_t bytes = file.size();
  check_table(table, bytes, path);
  file.reserve(bytes);
  Filler filler(file, table, progress);
  filler.offsets(spool.offset_file(), shard);
  if (spool.header().document_bytes) {
    filler.copy(spool.size_file(), shard.first_document * sizeof(std::uint32_t), kDocBytesPath);
  }
  if (!spool.header().sources.empty()) {
    filler.copy(spool.source_file(), shard.first_document * sizeof(std::uint16_t), kDocSourcePath);
  }
  filler.copy(spool.token_file(), shard.first_token * spool.token_bytes(), kTokensPath);
  filler.splits(own);
  file.sync();

  manifest_ = make_manifest(MappedFile(corpus_.temporary_path()), table, progress);
  manifest_.file = std::filesystem::path(path).filename().string();
  if (!tokenizer.keep && !tokenizer.json.empty()) {
    tokenizer_file_.emplace(corpus_tokenizer_path(path));
    tokenizer_file_->content().write(tokenizer.json);
    tokenizer_file_->content().sync();
  }
  manifest_file_.content().write(manifest_to_json(manifest_));
  manifest_file_.content().sync();
}

void publish(const std::vector<std::unique_ptr<PreparedCorpus>>& corpora) {
  for (const auto& corpus : corpora) std::filesystem::remove(manifest_path(corpus->path()));
  for (const auto& corpus : corpora) {
    corpus->corpus_.publish();
    if (corpus->tokenizer_file_) {
      corpus->tokenizer_file_->publish();
    } else if (!corpus->keep_tokenizer_) {
      std::filesystem::remove(corpus_tokenizer_path(corpus->path()));
    }
  }
  if (corpora.empty()) return;
  corpora.front()->corpus_.sync_folder();
  for (const auto& corpus : corpora) corpus->manifest_file_.publish();
  corpora.front()->corpus_.sync_folder();
}

}  // namespace pretrain
