#include "core/data/corpus/inspect/corpus_info.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/data/corpus/corpus_verify.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBarWidth = 36;
constexpr std::uint64_t kDocumentsAtOnce = 1 << 20;  // between two reports
constexpr int kPercentiles[] = {1, 10, 25, 50, 75, 90, 99};

double ratio(std::uint64_t a, std::uint64_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

std::vector<RowStatistics> count_rows(const std::shared_ptr<const Corpus>& corpus,
                                      const RowQuestion& question,
                                      const ProgressFunction& progress) {
  const RowShape shape{static_cast<std::int64_t>(question.sequence_length) + 1, 1, 0, true};
  std::vector<RowStatistics> rows;
  for (const std::string& name : question.packings) {
    if (progress) progress({"packing", rows.size(), question.packings.size(), "packings"});
    rows.push_back(row_statistics(packing_named(name), {{corpus, question.split}}, shape));
  }
  return rows;
}

Json to_json(const RowStatistics& rows) {
  return {{"rows", rows.rows},
          {"row_positions", rows.row_positions},
          {"padding", rows.padding()},
          {"documents", rows.documents},
          {"cut_documents", rows.cut_documents},
          {"truncation", rows.truncation()},
          {"sequences", rows.sequences},
          {"unused_tokens", rows.unused_tokens}};
}

}  // namespace

CorpusInfo corpus_info(const std::string& path, const std::optional<RowQuestion>& question,
                       const ProgressFunction& progress) {
  CorpusInfo info;
  info.path = path;
  info.table = probe_complete(path);
  info.file_bytes = std::filesystem::file_size(path);
  if (std::filesystem::exists(manifest_path(path))) {
    const CorpusManifest manifest = read_manifest(path);
    info.fingerprint = manifest.fingerprint;
    info.table.attributes.max_id = manifest.table.attributes.max_id;
  }
  const auto corpus = open_without_manifest(path, info.table);
  info.has_document_bytes = corpus->has_document_bytes();
  for (std::uint64_t d = 0; d < corpus->documents(); ++d) {
    if (progress && d % kDocumentsAtOnce == 0) {
      progress({"counting", d, corpus->documents(), "documents"});
    }
    const std::uint64_t length = corpus->document_begin(d + 1) - corpus->document_begin(d);
    info.lengths.add(length);
    info.empty_documents += length == 0 ? 1 : 0;
    if (corpus->has_document_sources()) {
      ++info.source_documents[corpus->attributes().sources[corpus->document_source(d)]];
    }
  }
  info.splits = corpus->split_sizes();
  info.question = question;
  if (question) info.rows = count_rows(corpus, *question, progress);
  return info;
}

std::string CorpusInfo::to_text() const {
  const CorpusAttributes& a = table.attributes;
  std::string text =
      concat(path, ": ", format_bytes(file_bytes), ", corpus version ", a.version, "\n",
             "tokens      ", a.tokens, " of type ", a.dtype, ", vocab_size ", a.vocab_size,
             ", max_id ", a.max_id == 0 ? std::string("not known") : concat(a.max_id), ", eos_id ",
             a.eos_id, "\n", "documents   ", a.documents, " of ", lengths.shortest(), " to ",
             lengths.longest(), " tokens, mean ", a.tokens / a.documents, "\n");
  if (empty_documents > 0) text += concat("            ", empty_documents, " without a token\n");
  text += has_document_bytes
              ? concat("source      ", a.bytes, " bytes, ", ratio(a.bytes, a.tokens),
                       " bytes a token\n")
              : std::string("source      byte counts not recorded: no bits per byte\n");
  for (const Corpus::SplitSize& split : splits) {
    text += concat("split       ", split.name, ": ", plural(split.documents, "document"), ", ",
                   plural(split.tokens, "token"), "\n");
  }
  for (const auto& [name, documents] : source_documents) {
    text += concat("from        ", name, ": ", plural(documents, "document"), "\n");
  }
  text += concat("tokenizer   ",
                 a.tokenizer_sha256.empty() ? "not known" : "sha256 " + a.tokenizer_sha256, "\n",
                 "created by  ", a.created_by.empty() ? "not known" : a.created_by, "\n");
  text += "fingerprint " +
          (fingerprint.empty()
               ? "no manifest; write it: pretrain corpus verify --write-manifest " + path
               : fingerprint);
  text += "\nlengths     percentiles";
  for (const int p : kPercentiles) {
    text += concat(p == kPercentiles[0] ? " " : ", ", p, " %: ", lengths.percentile(p / 100.0));
  }
  text += "\n" + lengths.to_text(kBarWidth);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += concat("packing     ", question->packings[i], ": ", question->split, " ",
                   to_string(rows[i]), "\n");
  }
  return text;
}

std::string CorpusInfo::to_json() const {
  const CorpusAttributes& a = table.attributes;
  Json json = {{"path", path},
               {"file_bytes", file_bytes},
               {"fingerprint", fingerprint.empty() ? Json() : Json(fingerprint)},
               {"version", a.version},
               {"dtype", a.dtype},
               {"vocab_size", a.vocab_size},
               {"max_id", a.max_id},
               {"eos_id", a.eos_id},
               {"tokens", a.tokens},
               {"bytes", has_document_bytes ? Json(a.bytes) : Json()},
               {"bytes_per_token", has_document_bytes ? Json(ratio(a.bytes, a.tokens)) : Json()},
               {"tokenizer_sha256", a.tokenizer_sha256},
               {"created_by", a.created_by}};
  Json percentiles = Json::object();
  for (const int p : kPercentiles) {
    percentiles[std::to_string(p)] = lengths.percentile(p / 100.0);
  }
  Json histogram = Json::array();
  for (const LengthHistogram::Bin& bin : lengths.bins()) {
    histogram.push_back({{"begin", bin.begin}, {"end", bin.end}, {"documents", bin.count}});
  }
  json["documents"] = {{"count", a.documents},
                       {"empty", empty_documents},
                       {"shortest", lengths.shortest()},
                       {"longest", lengths.longest()},
                       {"mean", ratio(a.tokens, a.documents)},
                       {"percentiles", std::move(percentiles)},
                       {"histogram", std::move(histogram)}};
  json["splits"] = Json::object();
  for (const Corpus::SplitSize& split : splits) {
    json["splits"][split.name] = {{"documents", split.documents}, {"tokens", split.tokens}};
  }
  json["sources"] = source_documents.empty() ? Json() : Json(source_documents);
  json["rows"] = Json();
  if (question) {
    Json packings = Json::object();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      packings[question->packings[i]] = pretrain::to_json(rows[i]);
    }
    json["rows"] = {{"sequence_length", question->sequence_length},
                    {"split", question->split},
                    {"packings", std::move(packings)}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pretrain
