#include "core/base/error.h"
#include "core/text/training/kinds/kind_trainer.h"
#include "core/text/training/merges/merge_learner.h"
#include "core/text/training/merges/symbol_words.h"
#include "core/text/training/word_splitter.h"

namespace pretrain {
namespace {

constexpr const char* kPrefix = "##";
constexpr std::size_t kUsualCharacters = 1000;  // as BertWordPieceTokenizer

DocumentParts frame(const TrainingOptions& options) {
  return {.normalizer = concat(R"({"type":"BertNormalizer","clean_text":true,)",
                               R"("handle_chinese_chars":true,"strip_accents":null,"lowercase":)",
                               options.lowercase ? "true" : "false", "}"),
          .pre_tokenizer = R"({"type":"BertPreTokenizer"})",
          .decoder = R"({"type":"WordPiece","prefix":"##","cleanup":true})"};
}

std::string learn(const LearningJob& job, std::vector<std::string>& vocabulary) {
  const std::size_t most = job.options.max_characters;
  InitialSymbols symbols = character_symbols_of(
      job.counts,
      {.max_characters = most > 0 ? most : kUsualCharacters, .continuing_prefix = kPrefix});
  require_room(job, symbols.texts.size(), "characters, at the start of a word and elsewhere,");
  const std::size_t first = symbols.texts.size();
  const LearnedMerges learned =
      learn_merges(symbols.words, std::move(symbols.texts),
                   {.vocab_size = job.tokens,
                    .min_count = job.options.min_count,
                    .continuing_prefix = kPrefix,
                    .progress = [&](std::size_t size) {
                      job.report("merging", size - first, job.tokens - first);
                    }});
  vocabulary.insert(vocabulary.end(), learned.vocabulary.begin(), learned.vocabulary.end());
  return concat(R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)",
                R"("max_input_chars_per_word":100,"vocab":)", vocabulary_json(vocabulary), "}");
}

}  // namespace

KindTrainer word_piece_trainer() {
  return {.kind = {"wordpiece", "as BERT; with [PAD] [UNK] [CLS] [SEP] [MASK]", 30522},
          .first_specials = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"},
          .last_specials = {},
          .frame = frame,
          .split = make_word_splitter,
          .learn = learn};
}

}  // namespace pretrain
