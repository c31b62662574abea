#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/text/format/tokenizer_document.h"
#include "core/text/training/tokenizer_trainer.h"
#include "core/text/training/word_counts.h"

namespace pretrain {

/// What is learned from: the words of the text, cut by KindTrainer::split.
struct LearningJob {
  const TrainingOptions& options;
  const WordCounts& counts;
  /// Room for tokens beside the special ones; 0: no limit.
  std::size_t tokens = 0;
  const TrainingProgress& progress;

  void report(const char* phase, std::uint64_t done, std::uint64_t total) const {
    if (progress) progress(phase, done, total);
  }
};

/// How one kind of tokenizer is learned.
struct KindTrainer {
  TrainableKind kind;
  /// Special tokens that are always there and have the first ids.
  std::vector<std::string> first_specials;
  /// Special tokens that are always there and come behind all others.
  std::vector<std::string> last_specials;
  /// All parts of the tokenizer but the model and the specials.
  DocumentParts (*frame)(const TrainingOptions& options);
  /// Cuts documents into what is counted; mostly make_word_splitter.
  WordSplitter (*split)(const DocumentParts& frame);
  /// Appends the learned tokens to `vocabulary`, which begins with first_specials, and returns the
  /// model's JSON.
  std::string (*learn)(const LearningJob& job, std::vector<std::string>& vocabulary);
};

/// All of them, in the order of the help page.
const std::vector<KindTrainer>& kind_trainers();

KindTrainer byte_level_bpe_trainer();
KindTrainer classic_bpe_trainer();
KindTrainer word_piece_trainer();
KindTrainer unigram_trainer();
KindTrainer word_trainer();
KindTrainer character_trainer();

/// Throws kUsage unless an alphabet of `size` fits into job.tokens; `what` names its symbols.
void require_room(const LearningJob& job, std::size_t size, const char* what);

}  // namespace pretrain
