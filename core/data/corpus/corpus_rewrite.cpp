#include "core/data/corpus/corpus_rewrite.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/base/files/file.h"
#include "core/data/corpus/corpus_writer.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kTokensAtOnce = std::uint64_t{1} << 20;

using CorpusPointer = std::shared_ptr<const Corpus>;
using Splits = std::map<std::string, std::vector<DocumentRange>>;

void extend(std::vector<DocumentRange>& ranges, std::uint64_t begin, std::uint64_t end) {
  if (begin == end) return;
  if (!ranges.empty() && ranges.back().end == begin) {
    ranges.back().end = end;
  } else {
    ranges.push_back({begin, end});
  }
}

// Copies the documents of a corpus; `piece` sees their tokens, `end` is called after each.
void copy_documents(const Corpus& corpus, CorpusWriter& writer, std::size_t first_source,
                    const std::vector<std::size_t>& sources, const ProgressFunction& progress,
                    const std::function<void(std::span<const std::uint32_t>)>& piece,
                    const std::function<void()>& end) {
  std::vector<std::int64_t> read;
  std::vector<std::uint32_t> ids;
  std::uint64_t begin = 0;  // token that ids[0] is
  std::uint64_t at = 0;
  for (std::uint64_t d = 0; d < corpus.documents(); ++d) {
    const std::uint64_t last = corpus.document_begin(d + 1);
    while (at < last) {
      if (at == begin + ids.size()) {
        begin = at;
        read.resize(std::min(kTokensAtOnce, corpus.tokens() - begin));
        corpus.read_tokens(begin, read);
        ids.assign(read.begin(), read.end());
        if (progress) progress({"reading", begin + ids.size(), corpus.tokens()});
      }
      const auto part = std::span(ids).subspan(
          at - begin, std::min<std::uint64_t>(last - at, begin + ids.size() - at));
      writer.append(part);
      if (piece) piece(part);
      at += part.size();
    }
    const std::size_t source =
        corpus.has_document_sources() ? sources[corpus.document_source(d)] : first_source;
    writer.end_document(corpus.has_document_bytes() ? corpus.document_bytes(d) : 0, source);
    if (end) end();
  }
}

// The text of NAME.tokenizer.json if it is there and the right one, else "".
std::string tokenizer_text(const Corpus& corpus) {
  const std::string path = corpus_tokenizer_path(corpus.path());
  if (!std::filesystem::exists(path)) return "";
  corpus.load_tokenizer();
  return InputFile::open(path).text(kMaxTokenizerJson);
}

void require_equal(const Corpus& first, const Corpus& other) {
  const auto require = [&](const auto& a, const auto& b, const char* what) {
    if (a == b) return;
    fail(ExitCode::kBadData, other.path(), ": ", what, " is ", b, ", that of ", first.path(),
         " is ", a, ". Only corpora of one tokenizer can be merged: build one of them again");
  };
  require(first.tokenizer_sha256(), other.tokenizer_sha256(), "tokenizer_sha256");
  require(first.vocab_size(), other.vocab_size(), "vocab_size");
  require(first.eos_id(), other.eos_id(), "eos_id");
}

// A name for each input: its file's, or the whole path where two are alike.
std::vector<std::string> input_names(const std::vector<std::string>& inputs) {
  std::map<std::string, int> count;
  for (const std::string& input : inputs) ++count[std::filesystem::path(input).stem().string()];
  std::vector<std::string> names;
  for (const std::string& input : inputs) {
    const std::string stem = std::filesystem::path(input).stem().string();
    names.push_back(count[stem] == 1 ? stem : input);
  }
  return names;
}

// Collects names, each once.
class NameList {
 public:
  std::size_t add(const std::string& name) {
    const auto [found, is_new] = places_.emplace(name, names_.size());
    if (is_new) names_.push_back(name);
    return found->second;
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::map<std::string, std::size_t> places_;
  std::vector<std::string> names_;
};

RewriteResult finish(CorpusWriter& writer, const std::string& output, const Splits& splits,
                     const std::string& tokenizer, const ProgressFunction& progress) {
  RewriteResult result;
  result.path = output;
  result.manifest = writer.finish(splits, tokenizer, progress);
  result.splits = Corpus(output, result.manifest, CorpusVerification::kSizes, {}).split_sizes();
  return result;
}

// Hashes the tokens of one document after the other.
class DocumentHash {
 public:
  DocumentHash() : state_(XXH3_createState(), XXH3_freeState) {
    if (!state_) throw std::bad_alloc();
    XXH3_64bits_reset(state_.get());
  }
  void update(std::span<const std::uint32_t> ids) {
    XXH3_64bits_update(state_.get(), ids.data(), ids.size_bytes());
  }
  // In [0, 1), of the tokens since the last call.
  double fraction() {
    const std::uint64_t hash = XXH3_64bits_digest(state_.get());
    XXH3_64bits_reset(state_.get());
    return static_cast<double>(hash >> 11) * 0x1p-53;
  }

 private:
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

}  // namespace

RewriteResult merge_corpora(const CorpusMergeOptions& options, const ProgressFunction& progress) {
  if (options.inputs.size() < 2) {
    fail(ExitCode::kUsage, "corpus merge: expected two or more corpora to join, got ",
         options.inputs.size());
  }
  check_corpus_output(options.output, options.force);
  const std::vector<std::string> own_names = input_names(options.inputs);
  std::vector<CorpusPointer> corpora;
  NameList names;
  std::vector<std::vector<std::size_t>> sources;  // of each input: places of its own names
  std::vector<std::size_t> first_source;
  bool all_bytes = true;
  bool any_bytes = false;
  for (std::size_t i = 0; i < options.inputs.size(); ++i) {
    corpora.push_back(Corpus::open(options.inputs[i], CorpusVerification::kAuto, progress));
    const Corpus& corpus = *corpora.back();
    require_equal(*corpora.front(), corpus);
    auto& places = sources.emplace_back();
    for (const std::string& name : corpus.attributes().sources) places.push_back(names.add(name));
    first_source.push_back(corpus.has_document_sources() ? 0 : names.add(own_names[i]));
    all_bytes = all_bytes && corpus.has_document_bytes();
    any_bytes = any_bytes || corpus.has_document_bytes();
  }
  std::string tokenizer;
  for (const CorpusPointer& corpus : corpora) {
    if (tokenizer.empty()) tokenizer = tokenizer_text(*corpus);
  }
  const Corpus& first = *corpora.front();
  CorpusWriter writer(options.output,
                      {.vocab_size = static_cast<std::uint64_t>(first.vocab_size()),
                       .eos_id = first.eos_id(),
                       .tokenizer_sha256 = first.tokenizer_sha256(),
                       .created_by = options.created_by,
                       .append_eos = false,
                       .document_bytes = all_bytes,
                       .sources = names.names()},
                      options.force);
  Splits splits;
  for (std::size_t i = 0; i < corpora.size(); ++i) {
    const std::uint64_t before = writer.documents();
    copy_documents(*corpora[i], writer, first_source[i], sources[i], progress, {}, {});
    for (const std::string& name : corpora[i]->splits()) {
      for (const DocumentRange& range : corpora[i]->split(name)) {
        extend(splits[name], before + range.begin, before + range.end);
      }
    }
  }
  RewriteResult result = finish(writer, options.output, splits, tokenizer, progress);
  result.bytes_dropped = any_bytes && !all_bytes;
  return result;
}

std::vector<SplitShare> parse_split_shares(const std::string& text) {
  std::vector<SplitShare> shares;
  std::set<std::string> seen;
  double sum = 0;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    double share = -1;
    if (equals != std::string::npos) {
      const char* end = part.data() + part.size();
      const auto [at, error] = std::from_chars(part.data() + equals + 1, end, share);
      if (error != std::errc() || at != end) share = -1;
    }
    if (!is_split_name(name) || !(share >= 0 && share <= 1)) {
      fail(ExitCode::kUsage, "--splits: expected NAME=SHARE with a share of 0 to 1, got ", part);
    }
    if (!seen.insert(name).second) {
      fail(ExitCode::kUsage, "--splits: ", name, " is given twice. Keep one");
    }
    sum += share;
    shares.push_back({name, share});
  }
  if (std::abs(sum - 1) > 1e-9) {
    fail(ExitCode::kUsage, "--splits: the shares add up to ", sum, ", expected 1");
  }
  return shares;
}

RewriteResult split_corpus(const SplitOptions& options, const ProgressFunction& progress) {
  check_corpus_output(options.output, options.force);
  const CorpusPointer corpus = Corpus::open(options.input, CorpusVerification::kAuto, progress);
  std::vector<SplitShare> shares = options.shares;
  std::stable_partition(shares.begin(), shares.end(),
                        [](const SplitShare& s) { return s.name != "train"; });
  const CorpusAttributes& a = corpus->attributes();
  CorpusWriter writer(options.output,
                      {.vocab_size = a.vocab_size,
                       .eos_id = a.eos_id,
                       .tokenizer_sha256 = a.tokenizer_sha256,
                       .created_by = options.created_by,
                       .append_eos = false,
                       .document_bytes = corpus->has_document_bytes(),
                       .sources = a.sources},
                      options.force);
  std::vector<std::size_t> sources(a.sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) sources[i] = i;
  Splits splits;
  DocumentHash hash;
  copy_documents(
      *corpus, writer, 0, sources, progress,
      [&](std::span<const std::uint32_t> ids) { hash.update(ids); },
      [&] {
        const double at = hash.fraction();
        double end = 0;
        std::size_t chosen = shares.size() - 1;
        for (std::size_t i = 0; i + 1 < shares.size(); ++i) {
          end += shares[i].share;
          if (at < end) {
            chosen = i;
            break;
          }
        }
        extend(splits[shares[chosen].name], writer.documents() - 1, writer.documents());
      });
  RewriteResult result = finish(writer, options.output, splits, tokenizer_text(*corpus), progress);
  for (const SplitShare& share : shares) {
    if (share.share > 0 && !splits.contains(share.name)) result.empty_splits.push_back(share.name);
  }
  return result;
}

std::string RewriteResult::to_text() const {
  const CorpusAttributes& a = manifest.table.attributes;
  std::string text = concat(path, ": ", plural(a.documents, "document"), ", ",
                            plural(a.tokens, "token"), ", ", format_bytes(manifest.bytes));
  if (!a.sources.empty()) text += " from " + plural(a.sources.size(), "source");
  for (const Corpus::SplitSize& split : splits) {
    text += concat("; ", split.name, " ", plural(split.documents, "document"), ", ",
                   plural(split.tokens, "token"));
  }
  for (const std::string& name : empty_splits) {
    text += concat("; no document came to ", name, ": give it a larger share");
  }
  if (bytes_dropped) text += "; bytes not counted in all inputs: no bits per byte";
  return text;
}

}  // namespace pretrain
