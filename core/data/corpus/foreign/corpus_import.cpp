#include "core/data/corpus/foreign/corpus_import.h"

#include <map>
#include <memory>
#include <utility>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/data/corpus/corpus_builder.h"
#include "core/data/corpus/corpus_writer.h"
#include "core/data/corpus/foreign/megatron_index.h"
#include "core/data/corpus/foreign/token_inputs.h"
#include "core/data/corpus/foreign/token_stream.h"

namespace pretrain {
namespace {

// Above it a document is not decoded in one piece.
constexpr std::size_t kMaxDecodedTokens = std::size_t{64} << 20;

// Writes documents as they come; empty ones are counted and left out.
class CorpusSink : public DocumentSink {
 public:
  CorpusSink(CorpusWriter& writer, const Tokenizer* tokenizer, std::int64_t eos_id)
      : writer_(writer), tokenizer_(tokenizer), eos_id_(eos_id) {}

  void append(std::span<const std::uint32_t> ids) override {
    if (ids.empty()) return;
    last_ = ids.back();
    tokens_ += ids.size();
    if (tokenizer_ != nullptr) {
      if (tokens_ > kMaxDecodedTokens) {
        fail(ExitCode::kBadData, "document ", writer_.documents(), " has more than ",
             kMaxDecodedTokens,
             " tokens, too many to count its bytes. Give --eos-id to cut the tokens into "
             "documents, or --vocab-size instead of --tokenizer");
      }
      document_.insert(document_.end(), ids.begin(), ids.end());
    }
    writer_.append(ids);
  }
  void end_document() override {
    if (tokens_ == 0) {
      ++empty_;
      return;
    }
    all_end_ = all_end_ && static_cast<std::int64_t>(last_) == eos_id_;
    writer_.end_document(tokenizer_ == nullptr ? 0 : tokenizer_->decode(document_).size());
    document_.clear();
    tokens_ = 0;
  }

  std::uint64_t empty() const { return empty_; }
  // The id that closes every document so far, -1 if not all have one.
  std::int64_t closing_id() const { return all_end_ ? eos_id_ : -1; }

 private:
  CorpusWriter& writer_;
  const Tokenizer* tokenizer_;
  std::int64_t eos_id_;
  std::vector<std::uint32_t> document_;  // only if bytes are counted
  std::uint64_t tokens_ = 0;             // of the open document
  std::uint32_t last_ = 0;
  std::uint64_t empty_ = 0;
  bool all_end_ = true;
};

void check_options(const ImportOptions& options) {
  if (options.tokenizer.empty() == (options.vocab_size == 0)) {
    fail(ExitCode::kUsage,
         "corpus import: expected one of --tokenizer T, which also counts bytes, and --vocab-size "
         "N");
  }
  if (options.vocab_size > kMaxVocabSize) {
    fail(ExitCode::kUsage, "--vocab-size: expected 1 to ", kMaxVocabSize, ", got ",
         options.vocab_size);
  }
  if (!is_split_name(options.split)) {
    fail(ExitCode::kUsage, "--split: ", options.split, " is no name of a split, expected 1 to ",
         kMaxSplitName, " letters, digits, _ or -");
  }
  if (options.format == "nanogpt" && options.dtype != "u16" && options.dtype != "u32") {
    fail(ExitCode::kUsage, "--dtype: nanoGPT files are u16 or u32, got ", options.dtype);
  }
}

std::vector<TokenFile> open_files(const ImportOptions& options,
                                  const std::vector<std::string>& paths) {
  std::vector<TokenFile> files;
  for (const std::string& path : paths) {
    files.push_back(options.format == "llmc"
                        ? TokenFile::llmc(path)
                        : TokenFile::nanogpt(path, token_type(options.dtype, "--dtype")));
  }
  return files;
}

}  // namespace

ImportResult import_corpus(const ImportOptions& options, const ProgressFunction& progress) {
  check_options(options);
  check_corpus_output(options.output, options.force);
  const auto inputs = token_inputs(options.format, options.inputs, options.split);
  std::unique_ptr<Tokenizer> tokenizer;
  if (!options.tokenizer.empty()) tokenizer = open_tokenizer(options.tokenizer);
  const std::uint64_t vocab_size =
      tokenizer ? static_cast<std::uint64_t>(tokenizer->vocab_size()) : options.vocab_size;
  const std::int64_t eos_id = options.eos_id.value_or(tokenizer ? tokenizer->eos_id() : -1);
  if (eos_id < -1 || eos_id >= static_cast<std::int64_t>(vocab_size)) {
    fail(ExitCode::kUsage, "--eos-id: expected -1 (none) to ", vocab_size - 1, ", got ", eos_id);
  }
  CorpusWriter writer(options.output,
                      {.vocab_size = vocab_size,
                       .tokenizer_sha256 = tokenizer ? tokenizer->sha256() : "",
                       .created_by = options.created_by,
                       .append_eos = false,
                       .document_bytes = tokenizer != nullptr},
                      options.force);
  CorpusSink sink(writer, tokenizer.get(), eos_id);
  ImportResult result;
  std::map<std::string, std::vector<DocumentRange>> splits;
  for (const auto& [split, paths] : inputs) {
    const std::uint64_t begin = writer.documents();
    if (options.format == "megatron") {
      for (const std::string& prefix : paths) {
        const MegatronIndex index(prefix);
        read_megatron(prefix, index, vocab_size, sink, progress);
        result.other_modes += index.other_modes();
      }
    } else {
      read_token_stream(open_files(options, paths),
                        {.id = eos_id, .before = options.format == "llmc"}, vocab_size, sink,
                        progress);
    }
    if (writer.documents() > begin) splits[split].push_back({begin, writer.documents()});
  }
  writer.set_eos_id(sink.closing_id());
  result.manifest = writer.finish(splits, tokenizer ? tokenizer->to_json() : "", progress);
  result.path = options.output;
  result.documents = writer.documents();
  result.empty_documents = sink.empty();
  result.splits =
      Corpus(options.output, result.manifest, CorpusVerification::kSizes, {}).split_sizes();
  return result;
}

std::string ImportResult::to_text() const {
  const CorpusAttributes& a = manifest.table.attributes;
  std::string text = concat(path, ": ", documents, " documents, ", a.tokens, " tokens (", a.dtype,
                            ", vocab_size ", a.vocab_size, ", max_id ", a.max_id, ", eos_id ",
                            a.eos_id, "), ", format_bytes(manifest.bytes));
  for (const Corpus::SplitSize& split : splits) {
    text += concat("; ", split.name, " ", split.documents, " documents, ", split.tokens, " tokens");
  }
  if (empty_documents > 0) text += concat("; ", empty_documents, " empty documents dropped");
  if (other_modes > 0) {
    text += concat("; the modes of ", other_modes, " sequences are not kept");
  }
  if (!manifest.table.datasets.contains(kDocBytesPath)) {
    text += "; bytes not counted: no bits per byte";
  }
  return text;
}

}  // namespace pretrain
