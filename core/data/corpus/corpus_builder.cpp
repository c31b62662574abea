#include "core/data/corpus/corpus_builder.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/base/files/file.h"
#include "core/base/random.h"
#include "core/data/corpus/corpus_writer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr double kDefaultValidFraction = 0.01;
constexpr std::uint64_t kSplitKey = 0;  // the same document number is always in the same split

void check_options(const BuildOptions& options) {
  if (options.inputs.empty()) fail(ExitCode::kUsage, "corpus build: no input. Name files, or -");
  const double fraction = options.valid_fraction.value_or(0);
  if (!(fraction >= 0 && fraction < 1)) {
    fail(ExitCode::kUsage, "--valid-fraction: expected 0 to less than 1, got ", fraction);
  }
  if (!options.specials.empty() && options.tokenizer != "byte" && options.tokenizer != "char") {
    fail(ExitCode::kUsage, "corpus build: --special adds tokens to byte or char, ",
         options.tokenizer, " has those that its file names. Leave --special out");
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

std::uint64_t input_bytes(const std::vector<std::string>& inputs) {
  std::uint64_t bytes = 0;
  for (const std::string& input : inputs) {
    std::error_code error;
    const auto size = std::filesystem::file_size(input, error);
    if (error) return 0;  // a stream: not known
    bytes += size;
  }
  return bytes;
}

// Calls `use` with each document of the inputs, in order.
void for_each_document(const std::vector<std::string>& inputs, const TextFormat& format,
                       const char* phase, const ProgressFunction& progress,
                       const std::function<void(const std::string&)>& use) {
  const std::uint64_t total = input_bytes(inputs);
  std::uint64_t before = 0;
  std::uint64_t reported = 0;
  std::string text;
  for (const std::string& input : inputs) {
    const auto reader = open_documents(input, format);
    while (reader->next(text)) {
      use(text);
      const std::uint64_t done = before + reader->bytes_read();
      if (progress && done != reported) progress({phase, done, total});
      reported = done;
    }
    before += reader->bytes_read();
  }
}

std::unique_ptr<Tokenizer> train_char_tokenizer(const BuildOptions& options,
                                                const ProgressFunction& progress) {
  std::vector<bool> seen(kMaxCodePoint + 1, false);
  const auto collect = [&](const std::string& text) {
    for (std::size_t offset = 0; offset < text.size();) seen[next_code_point(text, offset)] = true;
  };
  for (const auto* inputs : {&options.inputs, &options.validation_inputs}) {
    for_each_document(*inputs, options.format, "collecting", progress, collect);
  }
  std::vector<std::uint32_t> code_points;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) {
    if (seen[c]) code_points.push_back(c);
  }
  if (code_points.empty()) {
    fail(ExitCode::kBadData, options.output,
         ": the corpus would be empty: no document with a character in the input. Check the input, "
         "--format and --doc-sep");
  }
  return make_char_tokenizer(code_points, options.eos.value_or(true), options.specials);
}

std::unique_ptr<Tokenizer> choose_tokenizer(const BuildOptions& options,
                                            const ProgressFunction& progress) {
  if (options.tokenizer == "char") return train_char_tokenizer(options, progress);
  if (options.tokenizer == "byte") return make_byte_tokenizer(options.specials);
  return open_tokenizer(options.tokenizer);
}

std::int64_t choose_eos(const BuildOptions& options, const Tokenizer& tokenizer) {
  if (!options.eos.value_or(true)) return -1;
  if (options.eos.has_value() && tokenizer.eos_id() < 0) {
    fail(ExitCode::kUsage, "--eos: tokenizer ", options.tokenizer,
         " has no token that ends a document. Give --no-eos or another tokenizer");
  }
  return tokenizer.eos_id();
}

// Chooses the documents of `valid` among the first ones.
class SplitChooser {
 public:
  explicit SplitChooser(double fraction) : fraction_(fraction) {}

  void add(std::uint64_t document) {
    const double hash = RandomStream(kSplitKey, RandomPurpose::kSplit, document).uniform();
    if (hash < fraction_) valid_.push_back(document);
    if (hash < smallest_hash_) {
      smallest_hash_ = hash;
      smallest_ = document;
    }
  }

  // Splits of `documents` documents, of which those from `added` on are validation inputs.
  std::map<std::string, std::vector<DocumentRange>> ranges(std::uint64_t added,
                                                           std::uint64_t documents) const {
    std::vector<std::uint64_t> chosen = valid_;
    if (chosen.empty() && fraction_ > 0 && added > 1) chosen.push_back(smallest_);
    std::map<std::string, std::vector<DocumentRange>> splits;
    std::uint64_t begin = 0;
    for (std::uint64_t document : chosen) {
      extend(splits["train"], begin, document);
      extend(splits["valid"], document, document + 1);
      begin = document + 1;
    }
    extend(splits["train"], begin, added);
    extend(splits["valid"], added, documents);
    return splits;
  }

 private:
  static void extend(std::vector<DocumentRange>& ranges, std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return;
    if (!ranges.empty() && ranges.back().end == begin) {
      ranges.back().end = end;
    } else {
      ranges.push_back({begin, end});
    }
  }

  double fraction_;
  std::vector<std::uint64_t> valid_;
  double smallest_hash_ = 2;
  std::uint64_t smallest_ = 0;
};

}  // namespace

BuildResult build_corpus(const BuildOptions& options, const ProgressFunction& progress) {
  check_options(options);
  check_corpus_output(options.output, options.force);
  const auto tokenizer = choose_tokenizer(options, progress);
  CorpusWriter writer(options.output,
                      {.vocab_size = static_cast<std::uint64_t>(tokenizer->vocab_size()),
                       .eos_id = choose_eos(options, *tokenizer),
                       .tokenizer_sha256 = tokenizer->sha256(),
                       .created_by = options.created_by},
                      options.force);
  SplitChooser chooser(options.valid_fraction.value_or(
      options.validation_inputs.empty() ? kDefaultValidFraction : 0));
  BuildResult result;
  std::vector<std::uint32_t> ids;
  const auto add = [&](const std::string& text) {
    if (text.empty()) {
      ++result.empty_documents;
      return false;
    }
    ids.clear();
    tokenizer->encode(text, ids);
    writer.add_document(ids, text.size());
    return true;
  };
  for_each_document(options.inputs, options.format, "reading", progress,
                    [&](const std::string& text) {
                      if (add(text)) chooser.add(writer.documents() - 1);
                    });
  const std::uint64_t added = writer.documents();
  for_each_document(options.validation_inputs, options.format, "reading", progress, add);

  const auto splits = chooser.ranges(added, writer.documents());
  const CorpusManifest manifest = writer.finish(splits, tokenizer->to_json(), progress);

  const CorpusAttributes& attributes = manifest.table.attributes;
  result.path = options.output;
  result.documents = attributes.documents;
  result.tokens = attributes.tokens;
  result.source_bytes = attributes.bytes;
  result.file_bytes = manifest.bytes;
  result.vocab_size = attributes.vocab_size;
  result.max_id = attributes.max_id;
  result.dtype = attributes.dtype;
  result.fingerprint = manifest.fingerprint;
  result.splits = Corpus(options.output, manifest, CorpusVerification::kSizes, {}).split_sizes();
  return result;
}

std::string BuildResult::to_text() const {
  std::string text = concat(path, ": ", documents, " documents, ", tokens, " tokens (", dtype,
                            ", vocab_size ", vocab_size, ", max_id ", max_id, ") from ",
                            source_bytes, " bytes, ", format_bytes(file_bytes));
  for (const Corpus::SplitSize& split : splits) {
    text += concat("; ", split.name, " ", split.documents, " documents, ", split.tokens, " tokens");
  }
  if (empty_documents > 0) text += concat("; ", empty_documents, " empty documents skipped");
  return text;
}

}  // namespace pretrain
