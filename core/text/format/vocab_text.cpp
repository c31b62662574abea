#include "core/text/format/vocab_text.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/base/json/json_reader.h"
#include "core/base/json/json_writer.h"
#include "core/text/format/tokenizer_document.h"
#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr const char* kUnknown = "[UNK]";
constexpr std::array<const char*, 5> kSpecials = {"[PAD]", kUnknown, "[CLS]", "[SEP]", "[MASK]"};

std::string_view without_blanks_behind(std::string_view line) {
  std::size_t used = 0;
  for (std::size_t end = 0; end < line.size();) {
    if (!is_white_space(next_code_point(line, end))) used = end;
  }
  return line.substr(0, used);
}

std::vector<std::string> read_tokens(std::string_view text, const std::string& place) {
  std::vector<std::string> tokens;
  std::unordered_map<std::string, std::size_t> line_of;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t number = tokens.size() + 1;
    if (find_invalid_utf8(line)) {
      fail(ExitCode::kBadData, place, ":", number, ": the line is not valid UTF-8");
    }
    line = without_blanks_behind(line);
    if (line.empty()) {
      fail(ExitCode::kBadData, place, ":", number, ": the line is empty, expected a token");
    }
    const auto [other, is_new] = line_of.emplace(line, number);
    if (!is_new) {
      fail(ExitCode::kBadData, place, ":", number, ": ", json_string(line), " stands in line ",
           other->second, " already, expected each token once");
    }
    tokens.emplace_back(line);
  }
  if (!line_of.contains(kUnknown)) {
    fail(ExitCode::kBadData, place, ": no line ", kUnknown, ", expected the vocab.txt of BERT");
  }
  return tokens;
}

}  // namespace

std::string vocab_text_tokenizer_json(std::string_view vocab, bool lowercase,
                                      const std::string& place) {
  const std::vector<std::string> tokens = read_tokens(vocab, place);
  DocumentParts parts{
      .normalizer =
          concat(R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)",
                 R"("strip_accents":null,"lowercase":)", lowercase ? "true" : "false", "}"),
      .pre_tokenizer = R"({"type":"BertPreTokenizer"})",
      .decoder = R"({"type":"WordPiece","prefix":"##","cleanup":true})",
      .model =
          concat(R"({"type":"WordPiece","unk_token":)", json_string(kUnknown),
                 R"(,"continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":)",
                 vocabulary_json(tokens), "}")};
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (std::find(kSpecials.begin(), kSpecials.end(), tokens[id]) == kSpecials.end()) continue;
    parts.added_tokens.push_back({.id = id, .text = tokens[id]});
  }
  return tokenizer_document(parts);
}

bool config_lower_case(std::string_view config, const std::string& place) {
  const JsonValue parsed = parse_json(config, place);
  const JsonReader root(parsed, place);
  return !root.has("do_lower_case") || root.at("do_lower_case").boolean();
}

}  // namespace pretrain
