#include <algorithm>

#include "core/base/error.h"
#include "core/text/training/alphabet.h"
#include "core/text/training/kinds/kind_trainer.h"
#include "core/text/training/word_splitter.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr const char* kUnknown = "<unk>";

DocumentParts word_frame(const TrainingOptions& options) {
  return {.normalizer = options.lowercase ? R"({"type":"Lowercase"})" : "null",
          .pre_tokenizer = R"({"type":"Whitespace"})"};
}

std::string learn_words(const LearningJob& job, std::vector<std::string>& vocabulary) {
  std::vector<WordCounts::Word> words;
  for (const WordCounts::Word& word : job.counts.words) {
    if (word.count >= job.options.min_count) words.push_back(word);
  }
  std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : a.text < b.text;
  });
  if (job.tokens > 0 && words.size() > job.tokens) words.resize(job.tokens);
  for (const WordCounts::Word& word : words) vocabulary.emplace_back(word.text);
  return concat(R"({"type":"WordLevel","unk_token":")", kUnknown, R"(","vocab":)",
                vocabulary_json(vocabulary), "}");
}

DocumentParts character_frame(const TrainingOptions& options) {
  if (options.lowercase) fail(ExitCode::kUsage, "--lowercase: char keeps every character");
  return {.decoder = R"({"type":"Fuse"})"};
}

WordSplitter split_characters(const DocumentParts&) {
  return [](std::string_view document, const std::function<void(std::string_view)>& use) {
    for (std::size_t end = 0; end < document.size();) {
      const std::size_t begin = end;
      next_code_point(document, end);
      use(document.substr(begin, end - begin));
    }
  };
}

std::string learn_characters(const LearningJob& job, std::vector<std::string>& vocabulary) {
  const std::vector<std::uint32_t> alphabet = alphabet_of(job.counts, 0);
  if (job.tokens > 0) require_room(job, alphabet.size(), "characters");
  for (const std::uint32_t character : alphabet) append_utf8(character, vocabulary.emplace_back());
  return concat(
      R"({"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)",
      R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,)",
      R"("ignore_merges":false,"vocab":)", vocabulary_json(vocabulary), R"(,"merges":[]})");
}

}  // namespace

KindTrainer word_trainer() {
  return {.kind = {"word", "runs of letters and digits, or of marks; <unk> for rare ones", 0},
          .first_specials = {kUnknown},
          .last_specials = {"<|endoftext|>"},
          .frame = word_frame,
          .split = make_word_splitter,
          .learn = learn_words};
}

KindTrainer character_trainer() {
  return {.kind = {"char", "every character of the text", 0},
          .first_specials = {},
          .last_specials = {"<|endoftext|>"},
          .frame = character_frame,
          .split = split_characters,
          .learn = learn_characters};
}

}  // namespace pretrain
