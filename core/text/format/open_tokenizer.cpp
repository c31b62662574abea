#include "core/text/format/open_tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/files/file.h"
#include "core/text/format/byte_level_json.h"
#include "core/text/format/rank_file.h"
#include "core/text/format/sentencepiece_model.h"
#include "core/text/format/vocab_merges.h"
#include "core/text/format/vocab_text.h"
#include "core/text/split/split_pattern.h"

namespace pretrain {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  return InputFile::open(path.string()).text(kMaxTokenizerJson);
}

std::unique_ptr<Tokenizer> open_vocab_and_merges(const fs::path& vocab, const fs::path& merges) {
  const ByteLevelParts parts =
      read_vocab_and_merges(text_of(vocab), vocab.string(), text_of(merges), merges.string());
  return tokenizer_from_json(byte_level_tokenizer_json(parts), vocab.string());
}

// The pattern that a word of a rank file's name stands for.
std::string split_of(const fs::path& path) {
  const std::string name = path.stem().string();
  std::string known;
  for (const std::string& split : split_pattern_names()) {
    if (name.find(split) != std::string::npos) return split;
    known += (known.empty() ? "" : ", ") + split;
  }
  for (const char* old : {"r50k", "p50k"}) {  // of the pattern of gpt2
    if (name.find(old) != std::string::npos) return "gpt2";
  }
  fail(ExitCode::kBadData, path.string(), ": the file does not tell which pattern cuts the text. ",
       "Put one into its name: ", known);
}

// `<|endoftext|>` with its id in tiktoken: ids between the ranks and it are filled.
std::vector<std::pair<std::string, std::uint32_t>> specials_of(const std::string& split,
                                                               std::string_view ranks) {
  const auto lines = static_cast<std::uint32_t>(std::count(ranks.begin(), ranks.end(), '\n') +
                                                (ranks.ends_with('\n') ? 0 : 1));
  const std::uint32_t end = split == "cl100k" && lines == 100256  ? 100257
                            : split == "o200k" && lines == 199998 ? 199999
                                                                  : lines;
  std::vector<std::pair<std::string, std::uint32_t>> specials;
  for (std::uint32_t id = lines; id < end; ++id) {
    specials.emplace_back(concat("<|unused_", id, "|>"), id);
  }
  specials.emplace_back(kEndOfText, end);
  return specials;
}

std::unique_ptr<Tokenizer> open_ranks(const fs::path& path) {
  const std::string split = split_of(path);
  const std::string text = text_of(path);
  const ByteLevelParts parts = read_rank_file(text, path.string(), split, specials_of(split, text));
  return tokenizer_from_json(byte_level_tokenizer_json(parts), path.string());
}

std::unique_ptr<Tokenizer> open_vocab_text(const fs::path& path) {
  const fs::path config = path.parent_path() / "tokenizer_config.json";
  const bool lowercase = !fs::exists(config) || config_lower_case(text_of(config), config.string());
  return tokenizer_from_json(vocab_text_tokenizer_json(text_of(path), lowercase, path.string()),
                             path.string());
}

std::unique_ptr<Tokenizer> open_file(const fs::path& path) {
  if (path.extension() == ".tiktoken") return open_ranks(path);
  if (path.filename().string().ends_with("vocab.txt")) return open_vocab_text(path);
  const std::string text = text_of(path);
  if (path.extension() != ".model" && !looks_like_sentencepiece(text)) {
    return tokenizer_from_json(text, path.string());
  }
  const SentencepieceModel model = read_sentencepiece_model(text, path.string());
  return tokenizer_from_json(sentencepiece_tokenizer_json(model, path.string()), path.string());
}

std::unique_ptr<Tokenizer> open_folder(const fs::path& folder) {
  const auto has = [&](const char* name) { return fs::exists(folder / name); };
  if (has("tokenizer.json")) return open_file(folder / "tokenizer.json");
  if (has("vocab.json") && has("merges.txt")) {
    return open_vocab_and_merges(folder / "vocab.json", folder / "merges.txt");
  }
  for (const char* name : {"vocab.txt", "tokenizer.model", "spiece.model"}) {
    if (has(name)) return open_file(folder / name);
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".tiktoken") return open_ranks(entry.path());
  }
  fail(ExitCode::kBadData, folder.string(),
       ": no tokenizer in it, expected tokenizer.json, vocab.json and merges.txt, vocab.txt, "
       "tokenizer.model, spiece.model, or a .tiktoken file");
}

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& name) {
  if (name == "byte") return make_byte_tokenizer();
  return fs::is_directory(name) ? open_folder(name) : open_file(name);
}

}  // namespace pretrain
