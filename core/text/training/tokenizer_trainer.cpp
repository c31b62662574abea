#include "core/text/training/tokenizer_trainer.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "core/base/error.h"
#include "core/config/option_values.h"
#include "core/text/split/split_pattern.h"
#include "core/text/tokenizer.h"
#include "core/text/training/kinds/kind_trainer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_word(word, known);
  return nearest.empty() ? concat("Known: ", one_of(known)) : concat("Did you mean ", nearest, "?");
}

const KindTrainer& find_trainer(const std::string& kind) {
  std::vector<std::string> names;
  for (const KindTrainer& trainer : kind_trainers()) {
    if (kind == trainer.kind.name) return trainer;
    names.emplace_back(trainer.kind.name);
  }
  fail(ExitCode::kUsage, kind, " is no kind of tokenizer. ", did_you_mean(kind, names));
}

void check_split(const TrainingOptions& options) {
  if (options.kind != "bpe") {
    if (options.split != "gpt2") {
      fail(ExitCode::kUsage, "--split is for bpe, ", options.kind, " has its own. Leave it out");
    }
    return;
  }
  std::vector<std::string> names = split_pattern_names();
  names.emplace_back("none");
  if (std::find(names.begin(), names.end(), options.split) != names.end()) return;
  fail(ExitCode::kUsage, "--split ", options.split, " is not known. ",
       did_you_mean(options.split, names));
}

// Those of --special that the kind does not have anyway.
std::vector<std::string> further_specials(const KindTrainer& trainer,
                                          const std::vector<std::string>& asked) {
  std::vector<std::string> specials = trainer.last_specials;
  std::set<std::string> seen;
  for (const std::string& text : asked) {
    if (text.empty()) fail(ExitCode::kUsage, "--special: a text is empty");
    if (find_invalid_utf8(text)) fail(ExitCode::kUsage, "--special: ", text, " is no UTF-8");
    if (!seen.insert(text).second) {
      fail(ExitCode::kUsage, "--special: ", text, " is given twice. Keep one");
    }
    const auto is_there = [&](const std::vector<std::string>& texts) {
      return std::find(texts.begin(), texts.end(), text) != texts.end();
    };
    if (!is_there(trainer.first_specials) && !is_there(trainer.last_specials)) {
      specials.push_back(text);
    }
  }
  return specials;
}

// Numbers the special tokens: the first ones of the vocabulary, and those behind it.
std::vector<DocumentToken> number_specials(const KindTrainer& trainer,
                                           const std::vector<std::string>& further,
                                           const std::vector<std::string>& vocabulary) {
  const std::unordered_set<std::string> ordinary(
      vocabulary.begin() + static_cast<std::ptrdiff_t>(trainer.first_specials.size()),
      vocabulary.end());
  std::vector<DocumentToken> specials;
  const auto add = [&](const std::vector<std::string>& texts, std::size_t first_id) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (ordinary.contains(texts[i])) {
        fail(ExitCode::kUsage, "--special: ", texts[i],
             " is also an ordinary token of the text. Choose another text for it");
      }
      specials.push_back({.id = first_id + i, .text = texts[i]});
    }
  };
  add(trainer.first_specials, 0);
  add(further, vocabulary.size());
  return specials;
}

}  // namespace

const std::vector<KindTrainer>& kind_trainers() {
  static const std::vector<KindTrainer> trainers{byte_level_bpe_trainer(), classic_bpe_trainer(),
                                                 word_piece_trainer(),     unigram_trainer(),
                                                 word_trainer(),           character_trainer()};
  return trainers;
}

const std::vector<TrainableKind>& trainable_kinds() {
  static const std::vector<TrainableKind> kinds = [] {
    std::vector<TrainableKind> all;
    for (const KindTrainer& trainer : kind_trainers()) all.push_back(trainer.kind);
    return all;
  }();
  return kinds;
}

void require_room(const LearningJob& job, std::size_t size, const char* what) {
  if (size <= job.tokens) return;
  fail(ExitCode::kUsage, "--vocab leaves room for ", job.tokens, " tokens, and the text has ", size,
       " ", what, " which are all tokens. Raise --vocab by ", size - job.tokens,
       job.options.kind == "bpe" ? "" : " or keep the most frequent characters: --alphabet N");
}

TrainedTokenizer train_tokenizer(const TrainingOptions& options, const DocumentSource& next,
                                 const TrainingProgress& progress) {
  const KindTrainer& trainer = find_trainer(options.kind);
  check_split(options);
  const std::vector<std::string> further = further_specials(trainer, options.specials);
  const std::size_t specials = trainer.first_specials.size() + further.size();
  const std::size_t wanted =
      options.vocab_size > 0 ? options.vocab_size : trainer.kind.usual_vocab_size;
  if (wanted > 0 && wanted <= specials) {
    fail(ExitCode::kUsage, "--vocab ", wanted, " leaves no room beside ", specials,
         " special tokens. Raise it");
  }

  DocumentParts parts = trainer.frame(options);
  const WordCounts counts = count_words(next, trainer.split(parts), {.threads = options.threads});
  if (counts.words.empty()) {
    fail(ExitCode::kBadData, "no word in ", counts.documents,
         " documents, so nothing can be learned. Check the input, --format and --doc-sep");
  }
  std::vector<std::string> vocabulary = trainer.first_specials;
  parts.model = trainer.learn({.options = options,
                               .counts = counts,
                               .tokens = wanted > 0 ? wanted - specials : 0,
                               .progress = progress},
                              vocabulary);
  parts.added_tokens = number_specials(trainer, further, vocabulary);
  parts.post_processor = marks_json(parts.added_tokens, parts.post_processor);
  const auto tokenizer = tokenizer_from_json(tokenizer_document(parts), "the trained tokenizer");
  return {.json = tokenizer->to_json(),
          .vocab_size = tokenizer->vocab_size(),
          .documents = counts.documents,
          .bytes = counts.document_bytes,
          .words = counts.words.size(),
          .dropped = counts.dropped};
}

}  // namespace pretrain
