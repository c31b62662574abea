#include "core/data/corpus/foreign/corpus_export.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <limits>
#include <optional>

#include "core/base/error.h"
#include "core/base/files/directory.h"
#include "core/base/files/pending_file.h"
#include "core/base/files/standard_output.h"
#include "core/base/json/json_writer.h"
#include "core/data/corpus/corpus.h"
#include "core/data/corpus/foreign/megatron_index.h"
#include "core/data/corpus/foreign/token_stream.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kTokensAtOnce = std::uint64_t{1} << 20;
constexpr std::size_t kTextAtOnce = std::size_t{4} << 20;
constexpr const char* kStandardOutput = "-";

// The files of one export, which appear together.
class ExportFiles {
 public:
  explicit ExportFiles(bool force) : force_(force) {}

  OutputFile& add(const std::string& path) {
    std::error_code ignored;
    if (!force_ && std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
      fail(ExitCode::kCannotCreate, path, ": exists already. Choose another name or give --force");
    }
    return files_.emplace_back(path).content();
  }
  std::vector<std::string> publish() {
    std::vector<std::string> names;
    if (files_.empty()) return names;
    for (PendingFile& file : files_) file.content().sync();
    for (PendingFile& file : files_) {
      file.publish();
      names.push_back(file.path());
    }
    files_.back().sync_folder();
    return names;
  }

 private:
  bool force_;
  std::deque<PendingFile> files_;
};

// Writes numbers as little-endian T through a buffer.
template <class T>
class ArrayWriter {
 public:
  explicit ArrayWriter(OutputFile& file) : file_(file) {}
  void push(T value) {
    buffer_.push_back(value);
    if (buffer_.size() == kTokensAtOnce) flush();
  }
  void flush() {
    file_.write(std::as_bytes(std::span(buffer_)));
    buffer_.clear();
  }

 private:
  OutputFile& file_;
  std::vector<T> buffer_;
};

class Exporter {
 public:
  Exporter(const ExportOptions& options, const ProgressFunction& progress)
      : options_(options),
        progress_(progress),
        corpus_(Corpus::open(options.input, CorpusVerification::kAuto, progress)),
        files_(options.force) {}

  ExportResult run() {
    if (options_.format == "megatron") {
      megatron();
    } else if (options_.format == "nanogpt" || options_.format == "llmc") {
      token_files();
    } else {
      text();
    }
    if (options_.output == kStandardOutput) {
      result_.files = {"standard output"};
    } else {
      result_.files = files_.publish();
    }
    return std::move(result_);
  }

 private:
  std::vector<DocumentRange> documents() const {
    if (options_.split.empty()) return {{0, corpus_->documents()}};
    const DocumentRanges ranges = corpus_->split(options_.split);
    return {ranges.begin(), ranges.end()};
  }

  TokenType type(const std::string& otherwise) const {
    const TokenType type =
        token_type(options_.dtype.empty() ? otherwise : options_.dtype, "--dtype");
    const auto largest = static_cast<std::uint64_t>(corpus_->max_id());
    if (largest > largest_token(type)) {
      fail(ExitCode::kBadData, options_.input, ": ids reach ", largest, ", ", token_type_name(type),
           " holds at most ", largest_token(type), ". Give a wider --dtype");
    }
    return type;
  }

  // Calls `use` with the tokens at [begin, end), piece by piece.
  template <class Use>
  void for_tokens(std::uint64_t begin, std::uint64_t end, Use&& use) {
    while (begin < end) {
      ids_.resize(std::min(kTokensAtOnce, end - begin));
      corpus_->read_tokens(begin, ids_);
      use(std::span<const std::int64_t>(ids_));
      begin += ids_.size();
      result_.tokens += ids_.size();
      if (progress_) progress_({"writing", result_.tokens, corpus_->tokens()});
    }
  }

  void megatron() {
    const std::string prefix = megatron_prefix(options_.output);
    const TokenType type = this->type(corpus_->attributes().dtype == "u16" ? "u16" : "i32");
    OutputFile& bin = files_.add(prefix + ".bin");
    OutputFile& idx = files_.add(prefix + ".idx");
    const std::vector<DocumentRange> ranges = documents();
    for (const DocumentRange& range : ranges) result_.documents += range.end - range.begin;
    idx.write(megatron_header(type, result_.documents, result_.documents, "--dtype"));
    for (const DocumentRange& range : ranges) {
      for_tokens(corpus_->document_begin(range.begin), corpus_->document_begin(range.end),
                 [&](std::span<const std::int64_t> ids) {
                   pack_tokens(type, ids, raw_);
                   bin.write(raw_);
                 });
    }
    const auto for_lengths = [&](auto&& use) {
      for (const DocumentRange& range : ranges) {
        for (std::uint64_t d = range.begin; d < range.end; ++d) {
          use(d, corpus_->document_begin(d + 1) - corpus_->document_begin(d));
        }
      }
    };
    ArrayWriter<std::int32_t> lengths(idx);
    for_lengths([&](std::uint64_t d, std::uint64_t tokens) {
      if (tokens > std::numeric_limits<std::int32_t>::max()) {
        fail(ExitCode::kBadData, options_.input, ": document ", d, " has ", tokens,
             " tokens, a sequence of Megatron-LM has at most 2147483647. Cut it");
      }
      lengths.push(static_cast<std::int32_t>(tokens));
    });
    lengths.flush();
    ArrayWriter<std::uint64_t> numbers(idx);
    std::uint64_t pointer = 0;
    for_lengths([&](std::uint64_t, std::uint64_t tokens) {
      numbers.push(pointer);
      pointer += tokens * token_bytes(type);
    });
    for (std::uint64_t d = 0; d <= result_.documents; ++d) numbers.push(d);
    numbers.flush();
  }

  void token_files() {
    const TokenType type = this->type(corpus_->attributes().dtype);
    if (type != TokenType::kU16 && type != TokenType::kU32) {
      fail(ExitCode::kUsage, "--dtype: ", options_.format, " files are u16 or u32, got ",
           options_.dtype);
    }
    Directory::create(options_.output);
    const auto splits =
        options_.split.empty() ? corpus_->splits() : std::vector<std::string>{options_.split};
    for (const std::string& split : splits) write_split(split, type);
  }

  void write_split(const std::string& split, TokenType type) {
    const DocumentRanges ranges = corpus_->split(split);
    std::uint64_t left = 0;  // tokens without a file
    for (const DocumentRange& range : ranges) {
      left += corpus_->document_begin(range.end) - corpus_->document_begin(range.begin);
      result_.documents += range.end - range.begin;
    }
    const std::uint64_t shard = options_.shard_tokens == 0 ? left : options_.shard_tokens;
    std::uint64_t number = 0;
    std::uint64_t room = 0;  // tokens that the open file still takes
    OutputFile* file = nullptr;
    const auto next_file = [&] {
      room = std::min(shard, left);
      left -= room;
      std::string name = split == "valid" ? "val" : split;
      if (options_.shard_tokens > 0) {
        const std::string digits = std::to_string(++number);
        name += "_" + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
      }
      file = &files_.add(options_.output + "/" + name + ".bin");
      if (options_.format == "llmc") file->write(llmc_header(type, room, file->path()));
    };
    for (const DocumentRange& range : ranges) {
      for_tokens(corpus_->document_begin(range.begin), corpus_->document_begin(range.end),
                 [&](std::span<const std::int64_t> ids) {
                   while (!ids.empty()) {
                     if (room == 0) next_file();
                     const auto part = ids.first(std::min<std::uint64_t>(room, ids.size()));
                     pack_tokens(type, part, raw_);
                     file->write(raw_);
                     room -= part.size();
                     ids = ids.subspan(part.size());
                   }
                 });
    }
  }

  void text() {
    const auto tokenizer = corpus_->load_tokenizer();
    OutputFile* file = options_.output == kStandardOutput ? nullptr : &files_.add(options_.output);
    std::string buffer;
    const auto flush = [&] {
      if (file != nullptr) {
        file->write(buffer);
      } else {
        write_standard_output(buffer);
      }
      buffer.clear();
    };
    std::vector<std::uint32_t> document;
    for (const DocumentRange& range : documents()) {
      for (std::uint64_t d = range.begin; d < range.end; ++d, ++result_.documents) {
        document.clear();
        for_tokens(corpus_->document_begin(d), corpus_->document_begin(d + 1),
                   [&](std::span<const std::int64_t> ids) {
                     document.insert(document.end(), ids.begin(), ids.end());
                   });
        const std::string decoded = tokenizer->decode(document);
        if (options_.format == "jsonl") {
          if (find_invalid_utf8(decoded)) ++result_.replaced_documents;
          buffer += JsonObject().add("text", JsonScalar(decoded)).text() + "\n";
        } else {
          buffer += (result_.documents == 0 ? "" : "\n") + decoded;
          if (!decoded.ends_with('\n')) buffer += '\n';
        }
        if (buffer.size() >= kTextAtOnce) flush();
      }
    }
    flush();
  }

  const ExportOptions& options_;
  const ProgressFunction& progress_;
  std::shared_ptr<const Corpus> corpus_;
  ExportFiles files_;
  ExportResult result_;
  std::vector<std::int64_t> ids_;
  std::vector<std::byte> raw_;
};

void check_options(const ExportOptions& options) {
  const std::string& format = options.format;
  const bool text = format == "text" || format == "jsonl";
  if (!text && format != "megatron" && format != "nanogpt" && format != "llmc") {
    fail(ExitCode::kUsage, format,
         " is no format to export. Formats: megatron, nanogpt, llmc, text, jsonl");
  }
  if (!text && options.output == kStandardOutput) {
    fail(ExitCode::kUsage, "corpus export ", format,
         ": - is the standard output, which takes text or jsonl only. Give the name of ",
         format == "megatron" ? "the files without .bin" : "a folder");
  }
  if (text && !options.dtype.empty()) {
    fail(ExitCode::kUsage, "--dtype: ", format, " files hold no ids. Leave it out");
  }
  if (format != "llmc" && options.shard_tokens > 0) {
    fail(ExitCode::kUsage, "--shard-tokens: only llmc files come in shards. Leave it out");
  }
}

}  // namespace

ExportResult export_corpus(const ExportOptions& options, const ProgressFunction& progress) {
  check_options(options);
  return Exporter(options, progress).run();
}

std::string ExportResult::to_text() const {
  std::string text = concat(documents, " documents, ", tokens, " tokens in ");
  constexpr std::size_t kShown = 4;
  for (std::size_t i = 0; i < std::min(files.size(), kShown); ++i) {
    text += (i == 0 ? "" : ", ") + files[i];
  }
  if (files.size() > kShown) text += concat(" and ", files.size() - kShown, " more files");
  if (replaced_documents > 0) {
    text += concat("; ", replaced_documents, " documents are no valid UTF-8: U+FFFD in place");
  }
  return text;
}

}  // namespace pretrain
