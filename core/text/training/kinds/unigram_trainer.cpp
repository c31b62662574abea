#include <algorithm>
#include <cstdio>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/training/kinds/kind_trainer.h"
#include "core/text/training/unigram/unigram_learner.h"
#include "core/text/training/word_splitter.h"

namespace pretrain {
namespace {

constexpr std::size_t kBytes = 256;
constexpr std::uint32_t kUnknownId = 2;
// Below every piece, so that "<0x41>" written in a text stays text.
constexpr double kByteScoreBelow = 10;

constexpr const char* kMetaspace =
    "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\","
    "\"split\":true}";

// Line ends and tabs become blanks, as in SentencePiece: a text is a line there.
DocumentParts frame(const TrainingOptions& options) {
  std::vector<std::string> normalizers{R"({"type":"NFKC"})"};
  for (const char* blank : {"\r\n", "\n", "\r", "\t"}) {
    normalizers.push_back(replace_json(blank, " "));
  }
  if (options.lowercase) normalizers.push_back(R"({"type":"Lowercase"})");
  DocumentParts parts{.normalizer = sequence_json("normalizers", normalizers),
                      .pre_tokenizer = kMetaspace,
                      .post_processor = template_json({.behind = "</s>", .behind_id = 1}),
                      .decoder = kMetaspace};
  if (options.byte_fallback) {
    parts.decoder = sequence_json("decoders", {R"({"type":"ByteFallback"})", kMetaspace});
  }
  return parts;
}

std::string byte_piece(std::size_t byte) {
  char text[8];
  std::snprintf(text, sizeof(text), "<0x%02X>", static_cast<unsigned>(byte));
  return text;
}

std::string learn(const LearningJob& job, std::vector<std::string>& vocabulary) {
  const bool bytes = job.options.byte_fallback;
  if (bytes) require_room(job, kBytes, "bytes");
  std::size_t most = 0;
  const std::vector<ScoredPiece> pieces = learn_unigram(
      job.counts, {.pieces = job.tokens - (bytes ? kBytes : 0),
                   .max_characters = job.options.max_characters,
                   .threads = job.options.threads,
                   .progress = [&](std::size_t left) {
                     most = std::max(most, left);
                     job.report("pruning", most - left, most - std::min(most, job.tokens));
                   }});
  double least = 0;
  for (const ScoredPiece& piece : pieces) least = std::min(least, piece.score);
  std::string entries;
  const auto add = [&](const std::string& text, double score) {
    if (!entries.empty()) entries += ',';
    entries += "[" + json_string(text) + "," + json_number(score) + "]";
  };
  for (const std::string& special : vocabulary) add(special, 0);
  for (std::size_t byte = 0; bytes && byte < kBytes; ++byte) {
    add(vocabulary.emplace_back(byte_piece(byte)), least - kByteScoreBelow);
  }
  for (const ScoredPiece& piece : pieces) add(vocabulary.emplace_back(piece.text), piece.score);
  return concat(R"({"type":"Unigram","unk_id":)", kUnknownId, R"(,"vocab":[)", entries,
                R"(],"byte_fallback":)", bytes ? "true" : "false", "}");
}

}  // namespace

KindTrainer unigram_trainer() {
  return {.kind = {"unigram", "as SentencePiece for T5; with <pad> </s> <unk>", 32000},
          .first_specials = {"<pad>", "</s>", "<unk>"},
          .last_specials = {},
          .frame = frame,
          .split = make_word_splitter,
          .learn = learn};
}

}  // namespace pretrain
