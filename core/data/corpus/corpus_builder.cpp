#include "core/data/corpus/corpus_builder.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>
#include <utility>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/base/files/file.h"
#include "core/base/logging.h"
#include "core/data/corpus/build/build_journal.h"
#include "core/data/corpus/build/corpus_build.h"
#include "core/data/corpus/build/output_files.h"
#include "core/data/corpus/build/prepared_corpus.h"
#include "core/data/corpus/build/work_folder.h"
#include "core/data/corpus/build_identity.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr double kDefaultValidFraction = 0.01;
constexpr std::size_t kMaxJobs = 1024;
constexpr const char* kTokenizerFile = "tokenizer.json";  // of the work folder

[[noreturn]] void fail_empty(const std::string& output) {
  fail(ExitCode::kBadData, output,
       ": the corpus would be empty: no document with a token in the input. Check the input, "
       "--format and --doc-sep");
}

void check_options(const BuildOptions& options) {
  if (options.inputs.empty()) fail(ExitCode::kUsage, "corpus build: no input. Name files, or -");
  const double fraction = options.valid_fraction.value_or(0);
  if (!(fraction >= 0 && fraction < 1)) {
    fail(ExitCode::kUsage, "--valid-fraction: expected 0 to less than 1, got ", fraction);
  }
  if (!options.specials.empty() && options.tokenizer != "byte" && options.tokenizer != "char") {
    fail(ExitCode::kUsage, "corpus build: --special adds tokens to byte or char, ",
         options.tokenizer,
         " has those that its file names. Leave --special out, or make the tokenizer with it: "
         "pretrain tokenizer train KIND ... --special");
  }
  if (options.jobs > kMaxJobs) {
    fail(ExitCode::kUsage, "--jobs: expected at most ", kMaxJobs, ", got ", options.jobs);
  }
  std::vector<std::string> all = options.inputs;
  all.insert(all.end(), options.validation_inputs.begin(), options.validation_inputs.end());
  const auto streams = std::count(all.begin(), all.end(), "-");
  if (streams > 1) fail(ExitCode::kUsage, "corpus build: - is given ", streams, " times. Keep one");
  if (streams == 1 && options.tokenizer == "char") {
    fail(ExitCode::kUsage,
         "corpus build: --tokenizer char reads its input twice, - can be read once. Give a file");
  }
}

struct Inputs {
  std::vector<std::string> files;         // for training, then for validation
  std::size_t validation = 0;             // the first one that is for validation
  std::uint64_t bytes = 0;                // 0: not known
  bool once = false;                      // the standard input or a pipe is among them
  std::vector<InputIdentity> identities;  // of all but the standard input
};

std::unique_ptr<Tokenizer> train_char_tokenizer(const BuildOptions& options, const Inputs& inputs,
                                                const ProgressFunction& progress) {
  std::vector<bool> seen(kMaxCodePoint + 1, false);
  std::uint64_t before = 0;
  std::string text;
  for (const std::string& input : inputs.files) {
    const auto reader = open_documents(input, options.format);
    while (reader->next(text)) {
      for (std::size_t offset = 0; offset < text.size();)
        seen[next_code_point(text, offset)] = true;
      if (progress) progress({"collecting", before + reader->bytes_read(), inputs.bytes});
    }
    before += reader->bytes_read();
  }
  std::vector<std::uint32_t> code_points;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) {
    if (seen[c]) code_points.push_back(c);
  }
  if (code_points.empty()) fail_empty(options.output);
  return make_char_tokenizer(code_points, options.eos.value_or(true), options.specials);
}

std::unique_ptr<Tokenizer> choose_tokenizer(const BuildOptions& options, const Inputs& inputs,
                                            const Directory& folder,
                                            const ProgressFunction& progress) {
  if (options.tokenizer == "byte") return make_byte_tokenizer(options.specials);
  if (options.tokenizer != "char") return open_tokenizer(options.tokenizer);
  // Collecting is not done twice.
  if (const auto json = folder.read_text(kTokenizerFile, kMaxTokenizerJson)) {
    return tokenizer_from_json(*json, folder.path_of(kTokenizerFile));
  }
  return train_char_tokenizer(options, inputs, progress);
}

std::int64_t choose_eos(const BuildOptions& options, const Tokenizer& tokenizer) {
  if (!options.eos.value_or(true)) return -1;
  if (options.eos.has_value() && tokenizer.eos_id() < 0) {
    fail(ExitCode::kUsage, "--eos: tokenizer ", options.tokenizer,
         " has no token that ends a document. Give --no-eos or another tokenizer");
  }
  return tokenizer.eos_id();
}

double valid_fraction(const BuildOptions& options) {
  return options.valid_fraction.value_or(options.validation_inputs.empty() ? kDefaultValidFraction
                                                                           : 0);
}

void require_unchanged(const std::vector<InputIdentity>& inputs) {
  for (const InputIdentity& input : inputs) {
    const std::string what = difference(input, input_identity(input.path));
    if (what.empty()) continue;
    fail(ExitCode::kBadData, what,
         ": it was changed while it was being read. Build again with --restart");
  }
}

// Is `file` the tokenizer that the user gave? It stays as it is, whatever its name.
bool is_tokenizer(const BuildOptions& options, const std::string& file) {
  std::error_code error;
  return std::filesystem::equivalent(options.tokenizer, file, error) && !error;
}

void check_existing(const OutputFiles& outputs, const BuildOptions& options) {
  if (options.force) return;
  for (const std::string& file : outputs.existing()) {
    if (is_tokenizer(options, file)) continue;
    fail(ExitCode::kCannotCreate, file, ": exists already. Choose another name or give --force");
  }
}

// A folder or pattern does not mean what builds of this name write there themselves.
std::vector<std::string> foreign_files(const std::vector<std::string>& words, bool by_name,
                                       const OutputFiles& outputs) {
  const std::set<std::string> named(words.begin(), words.end());
  const auto [all, passed_over] = input_files(words, by_name);
  const std::vector<bool> owned = outputs.owns(all);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (owned[i] && named.contains(all[i])) {
      fail(ExitCode::kUsage, all[i], ": is an input, and a file that the build makes or replaces. ",
           "Choose another name for the corpus");
    }
    if (!owned[i]) files.push_back(all[i]);
  }
  const std::vector<bool> made = outputs.owns(passed_over);
  std::vector<std::string> others;
  for (std::size_t i = 0; i < passed_over.size(); ++i) {
    if (!made[i]) others.push_back(passed_over[i]);
  }
  if (!others.empty()) log_warning(passed_over_text(others));
  return files;
}

Inputs list_inputs(const BuildOptions& options, const OutputFiles& outputs) {
  Inputs inputs;
  const bool by_name = options.format.format == "auto";
  inputs.files = foreign_files(options.inputs, by_name, outputs);
  inputs.validation = inputs.files.size();
  const auto validation = foreign_files(options.validation_inputs, by_name, outputs);
  inputs.files.insert(inputs.files.end(), validation.begin(), validation.end());
  for (const std::string& file : inputs.files) {
    std::error_code error;
    if (file == "-" || !std::filesystem::is_regular_file(file, error)) inputs.once = true;
    if (file == "-") continue;
    inputs.identities.push_back(input_identity(file));
    inputs.bytes += inputs.identities.back().bytes;
  }
  if (inputs.once) inputs.bytes = 0;
  return inputs;
}

// Everything after the tokenizer is known: the pass, and the files.
class Builder {
 public:
  Builder(const BuildOptions& options, const OutputFiles& outputs, const Inputs& inputs,
          WorkFolder& work, const Tokenizer& tokenizer)
      : options_(options),
        outputs_(outputs),
        inputs_(inputs),
        work_(work),
        tokenizer_(tokenizer),
        journal_(work.directory()),
        header_{.vocab_size = static_cast<std::uint64_t>(tokenizer.vocab_size()),
                .eos_id = choose_eos(options, tokenizer),
                .tokenizer_sha256 = tokenizer.sha256(),
                .created_by = options.created_by},
        identity_(build_identity(options, valid_fraction(options), header_, inputs.identities,
                                 inputs.files.size() - inputs.validation)),
        chooser_(valid_fraction(options)) {
    const auto earlier = journal_.read(identity_);
    if (earlier) state_ = *earlier;
    result_.taken_over = state_.documents;
    const Directory& folder = work.directory();
    spool_.emplace(
        earlier ? DocumentSpool(options.output, header_, folder, options.shard_tokens, state_.spool)
                : DocumentSpool(options.output, header_, folder, options.shard_tokens));
    if (!options.duplicates.any()) return;
    std::optional<SpoolState::File> seen;
    if (earlier) seen = state_.spool.files[SeenDocuments::kFile];
    seen_.emplace(options.duplicates, folder, seen);
  }

  bool publishing() const { return state_.publishing; }

  BuildResult run(const ProgressFunction& progress) {
    try {
      read_inputs(progress);
      write_corpora(progress);
    } catch (const Error& error) {
      if (!work_.keep) throw;
      fail(error.code(), error.what(), ". What is done lies in ", outputs_.build_folder(),
           ": the same command goes on there, --restart begins anew");
    }
    work_.remove();
    return result_;
  }

 private:
  void read_inputs(const ProgressFunction& progress) {
    const BuildPass pass{
        .inputs = inputs_.files,
        .validation = inputs_.validation,
        .format = options_.format,
        .input_bytes = inputs_.bytes,
        .jobs = options_.jobs > 0 ? options_.jobs
                                  : std::max<std::size_t>(1, std::thread::hardware_concurrency()),
        .part_bytes = options_.part_bytes,
        .quality = options_.quality,
        .duplicates = options_.duplicates};
    std::function<void()> commit;
    if (!inputs_.once) {
      commit = [this] { this->commit(); };
    }
    CorpusBuild(pass, tokenizer_, state_, *spool_, seen_ ? &*seen_ : nullptr, chooser_, commit)
        .run(progress);
    require_unchanged(inputs_.identities);
    if (spool_->tokens() == 0) fail_empty(options_.output);
  }

  void commit() {
    state_.spool = spool_->commit();
    if (seen_) state_.spool.files[SeenDocuments::kFile] = seen_->commit();
    journal_.write(identity_, state_);
    work_.keep = true;
  }

  void write_corpora(const ProgressFunction& progress) {
    const CorpusSplits splits = chooser_.ranges(state_.added, spool_->documents());
    const std::string tokenizer = tokenizer_.to_json();
    const std::vector<SpoolShard>& shards = spool_->shards();
    std::vector<std::unique_ptr<PreparedCorpus>> corpora;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const std::string path = outputs_.shard(i, shards.size(), options_.shard_tokens > 0);
      const bool keep = is_tokenizer(options_, corpus_tokenizer_path(path));
      corpora.push_back(std::make_unique<PreparedCorpus>(
          path, *spool_, shards[i], splits, TokenizerSidecar{.json = tokenizer, .keep = keep},
          progress));
    }
    std::optional<PendingFile> report;
    if (options_.format.invalid != InvalidText::kError || options_.quality.any() ||
        options_.duplicates.any()) {
      report.emplace(outputs_.report());
      report->content().write(state_.report.to_json());
      report->content().sync();
    }
    const std::vector<std::string> before = outputs_.existing();
    if (!inputs_.once) {
      state_.publishing = true;
      commit();
    }
    work_.require();
    if (report) report->publish();
    publish(corpora);
    remove_others(before, corpora, report.has_value());
    summarize(corpora);
  }

  // Removes what an earlier corpus of this name had more, such as other shards.
  void remove_others(const std::vector<std::string>& before,
                     const std::vector<std::unique_ptr<PreparedCorpus>>& corpora,
                     bool report) const {
    std::vector<std::string> ours;
    if (report) ours.push_back(outputs_.report());
    for (const auto& corpus : corpora) {
      const std::string& path = corpus->path();
      ours.insert(ours.end(), {path, manifest_path(path), corpus_tokenizer_path(path)});
    }
    for (const std::string& file : before) {
      if (is_tokenizer(options_, file)) continue;
      if (std::find(ours.begin(), ours.end(), file) == ours.end()) std::filesystem::remove(file);
    }
  }

  void summarize(const std::vector<std::unique_ptr<PreparedCorpus>>& corpora) {
    result_.path = corpora.front()->path();
    result_.shards = options_.shard_tokens > 0 ? corpora.size() : 0;
    result_.report = state_.report;
    result_.vocab_size = header_.vocab_size;
    result_.dtype = token_dtype(header_.vocab_size);
    result_.fingerprint = corpora.front()->manifest().fingerprint;
    std::map<std::string, Corpus::SplitSize> splits;
    for (const auto& corpus : corpora) {
      const CorpusManifest& manifest = corpus->manifest();
      const CorpusAttributes& attributes = manifest.table.attributes;
      result_.documents += attributes.documents;
      result_.tokens += attributes.tokens;
      result_.source_bytes += attributes.bytes;
      result_.file_bytes += manifest.bytes;
      result_.max_id = std::max(result_.max_id, attributes.max_id);
      const Corpus opened(corpus->path(), manifest, CorpusVerification::kSizes, {});
      for (const Corpus::SplitSize& split : opened.split_sizes()) {
        splits[split.name].name = split.name;
        splits[split.name].documents += split.documents;
        splits[split.name].tokens += split.tokens;
      }
    }
    for (const auto& [name, split] : splits) result_.splits.push_back(split);
  }

  const BuildOptions& options_;
  const OutputFiles& outputs_;
  const Inputs& inputs_;
  WorkFolder& work_;
  const Tokenizer& tokenizer_;
  BuildJournal journal_;
  CorpusHeader header_;
  BuildIdentity identity_;
  SplitChooser chooser_;
  BuildState state_;
  std::optional<DocumentSpool> spool_;
  std::optional<SeenDocuments> seen_;
  BuildResult result_;
};

}  // namespace

BuildResult build_corpus(const BuildOptions& options, const ProgressFunction& progress) {
  check_options(options);
  const OutputFiles outputs(options.output);
  Directory::open_parent(options.output);
  const bool unfinished = !options.restart && BuildJournal::exists(outputs.build_folder());
  if (!unfinished) {
    // What a build that was killed in its last moment left behind goes.
    if (std::filesystem::exists(outputs.build_folder())) WorkFolder(outputs.build_folder());
    check_existing(outputs, options);
  }
  const Inputs inputs = list_inputs(options, outputs);
  if (unfinished && inputs.once) {
    fail(ExitCode::kUsage, outputs.build_folder(), ": holds an unfinished build of other inputs; ",
         "one of a pipe or the standard input cannot go on there. Give --restart to begin anew");
  }

  WorkFolder work(outputs.build_folder());
  if (!unfinished) work.clear();
  work.keep = unfinished;
  for (const std::string& file : outputs.unfinished()) std::filesystem::remove(file);
  const auto tokenizer = choose_tokenizer(options, inputs, work.directory(), progress);
  if (options.tokenizer == "char") {
    work.directory().replace_text(kTokenizerFile, tokenizer->to_json());
  }
  Builder builder(options, outputs, inputs, work, *tokenizer);
  if (unfinished && !builder.publishing()) check_existing(outputs, options);
  return builder.run(progress);
}

std::uint64_t BuildResult::empty_documents() const {
  const auto found = report.reasons.find(kDroppedEmpty);
  return found == report.reasons.end() ? 0 : found->second.documents;
}

std::string BuildResult::to_text() const {
  std::string text =
      concat(path, ": ", plural(documents, "document"), ", ", plural(tokens, "token"), " (", dtype,
             ", vocab_size ", vocab_size, ", max_id ", max_id, ") from ", source_bytes, " bytes, ",
             format_bytes(file_bytes));
  if (shards > 0) text += " in " + plural(shards, "shard");
  for (const Corpus::SplitSize& split : splits) {
    text += concat("; ", split.name, " ", plural(split.documents, "document"), ", ",
                   plural(split.tokens, "token"));
  }
  if (empty_documents() > 0)
    text += concat("; ", plural(empty_documents(), "empty document"), " skipped");
  return text;
}

}  // namespace pretrain
