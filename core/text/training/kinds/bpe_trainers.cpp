#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/split/split_pattern.h"
#include "core/text/training/kinds/kind_trainer.h"
#include "core/text/training/merges/merge_learner.h"
#include "core/text/training/merges/symbol_words.h"
#include "core/text/training/word_splitter.h"

namespace pretrain {
namespace {

constexpr const char* kLowercase = R"({"type":"Lowercase"})";
constexpr const char* kUnknown = "<unk>";
constexpr const char* kEndOfWord = "</w>";

std::string byte_level(bool splits) {
  return concat(R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":)",
                splits ? "true" : "false", "}");
}

DocumentParts byte_level_frame(const TrainingOptions& options) {
  DocumentParts parts;
  if (options.lowercase) parts.normalizer = kLowercase;
  parts.decoder = byte_level(true);
  if (options.split == "gpt2" || options.split == "none") {
    parts.pre_tokenizer = byte_level(options.split == "gpt2");
  } else {
    const std::string split =
        concat(R"({"type":"Split","pattern":{"Regex":)", json_string(split_regex(options.split)),
               R"(},"behavior":"Isolated","invert":false})");
    parts.pre_tokenizer = sequence_json("pretokenizers", {split, byte_level(false)});
  }
  return parts;
}

LearnedMerges learn(const LearningJob& job, InitialSymbols symbols) {
  const std::size_t first = symbols.texts.size();
  const auto report = [&](std::size_t size) {
    job.report("merging", size - first, job.tokens - first);
  };
  return learn_merges(
      symbols.words, std::move(symbols.texts),
      {.vocab_size = job.tokens, .min_count = job.options.min_count, .progress = report});
}

// The merges in the order of their ranks: of one that was learned twice the later place counts, as
// for tokenizers.
std::vector<std::pair<std::uint32_t, std::uint32_t>> ranked(const LearnedMerges& learned) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> merges;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (auto merge = learned.merges.rbegin(); merge != learned.merges.rend(); ++merge) {
    if (seen.insert(*merge).second) merges.push_back(*merge);
  }
  std::reverse(merges.begin(), merges.end());
  return merges;
}

std::string bpe_model(const LearnedMerges& learned, const std::vector<std::string>& vocabulary,
                      const char* unknown, const char* end_of_word) {
  return bpe_model_json({.unknown = unknown,
                         .end_of_word = end_of_word,
                         .vocabulary = vocabulary_json(vocabulary),
                         .merges = merges_json(ranked(learned), learned.vocabulary)});
}

std::string learn_byte_level(const LearningJob& job, std::vector<std::string>& vocabulary) {
  InitialSymbols symbols = byte_symbols_of(job.counts);
  require_room(job, symbols.texts.size(), "bytes");
  const LearnedMerges learned = learn(job, std::move(symbols));
  vocabulary.insert(vocabulary.end(), learned.vocabulary.begin(), learned.vocabulary.end());
  return bpe_model(learned, vocabulary, "", "");
}

DocumentParts classic_frame(const TrainingOptions& options) {
  return {.normalizer = options.lowercase ? kLowercase : "null",
          .pre_tokenizer = R"({"type":"BertPreTokenizer"})",
          .decoder = concat(R"({"type":"BPEDecoder","suffix":")", kEndOfWord, R"("})")};
}

std::string learn_classic(const LearningJob& job, std::vector<std::string>& vocabulary) {
  InitialSymbols symbols = character_symbols_of(
      job.counts, {.max_characters = job.options.max_characters, .end_of_word = kEndOfWord});
  require_room(job, symbols.texts.size(), "characters, at the end of a word and elsewhere,");
  const LearnedMerges learned = learn(job, std::move(symbols));
  vocabulary.insert(vocabulary.end(), learned.vocabulary.begin(), learned.vocabulary.end());
  return bpe_model(learned, vocabulary, kUnknown, kEndOfWord);
}

}  // namespace

KindTrainer byte_level_bpe_trainer() {
  return {.kind = {"bpe", "byte-level BPE, as GPT-2: any text, nothing is lost", 32768},
          .first_specials = {},
          .last_specials = {"<|endoftext|>"},
          .frame = byte_level_frame,
          .split = make_word_splitter,
          .learn = learn_byte_level};
}

KindTrainer classic_bpe_trainer() {
  return {.kind = {"classic_bpe", "BPE of words, with </w> at their end, as GPT-1", 32768},
          .first_specials = {kUnknown},
          .last_specials = {"<|endoftext|>"},
          .frame = classic_frame,
          .split = make_word_splitter,
          .learn = learn_classic};
}

}  // namespace pretrain
