#include "core/data/corpus/corpus_writer.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/data/corpus/build/build_journal.h"
#include "core/data/corpus/build/document_spool.h"
#include "core/data/corpus/build/output_files.h"
#include "core/data/corpus/build/prepared_corpus.h"
#include "core/data/corpus/build/work_folder.h"

namespace pretrain {

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
  State(const std::string& output, const CorpusHeader& header) : path(output) {
    const std::string build = OutputFiles(output).build_folder();
    folder.emplace(build).keep = BuildJournal::exists(build);
    spool.emplace(output, header);
  }
  std::string path;
  std::optional<WorkFolder> folder;  // held until all is published
  std::optional<DocumentSpool> spool;
};

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

void CorpusWriter::set_eos_id(std::int64_t eos_id) { state_->spool->set_eos_id(eos_id); }

std::uint64_t CorpusWriter::documents() const { return state_->spool->documents(); }
std::uint64_t CorpusWriter::tokens() const { return state_->spool->tokens(); }

void CorpusWriter::append(std::span<const std::uint32_t> ids) { state_->spool->append(ids); }

void CorpusWriter::end_document(std::uint64_t source_bytes, std::size_t source) {
  state_->spool->end_document(source_bytes, source);
}

CorpusManifest CorpusWriter::finish(const std::map<std::string, std::vector<DocumentRange>>& splits,
                                    const std::string& tokenizer_json,
                                    const ProgressFunction& progress) {
  State& s = *state_;
  if (s.spool->tokens() == 0) {
    fail(ExitCode::kBadData, s.path,
         ": the corpus would be empty: no document with a token in the input. Check the input, "
         "--format and --doc-sep");
  }
  std::vector<std::unique_ptr<PreparedCorpus>> corpus;
  corpus.push_back(
      std::make_unique<PreparedCorpus>(s.path, *s.spool, s.spool->shards().front(), splits,
                                       TokenizerSidecar{.json = tokenizer_json}, progress));
  s.folder->require();
  publish(corpus);
  s.folder.reset();
  return corpus.front()->manifest();
}

}  // namespace pretrain
