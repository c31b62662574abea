#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>

#include "core/base/escape_control.h"
#include "core/base/json/json_reader.h"
#include "core/text/format/open_tokenizer.h"
#include "core/text/tokenizer_check.h"
#include "launch/commands/tokenizer/tokenizer_command.h"
#include "launch/commands/tokenizer/unit_reader.h"

namespace pretrain {
namespace {

constexpr std::size_t kShownSpecials = 12;

std::string specials_text(const TokenizerReport& report) {
  std::string text;
  for (std::size_t i = 0; i < report.specials.size() && i < kShownSpecials; ++i) {
    const auto& [id, content] = report.specials[i];
    text += concat(i > 0 ? ", " : "", escape_control(content), " ", id);
  }
  if (report.specials.size() > kShownSpecials) {
    text += concat(", ... ", report.specials.size(), " in all");
  }
  return text.empty() ? "none" : text;
}

std::string roles_text(const TokenRoles& roles) {
  std::string text;
  const auto add = [&](const char* name, std::int64_t id) {
    if (id >= 0) text += concat(text.empty() ? "" : ", ", name, " ", id);
  };
  add("eos", roles.eos);
  add("pad", roles.pad);
  add("cls", roles.cls);
  add("sep", roles.sep);
  add("mask", roles.mask);
  add("bos", roles.bos);
  add("fim_prefix", roles.fim_prefix);
  add("fim_middle", roles.fim_middle);
  add("fim_suffix", roles.fim_suffix);
  if (!roles.sentinels.empty()) {
    add("sentinels from", roles.sentinels.front());
    text += concat(" (", roles.sentinels.size(), ")");
  }
  return text.empty() ? "none" : text;
}

void print(const std::string& name, const TokenizerReport& report) {
  std::cout << name << ": " << report.model << ", " << report.vocab_size << " ids\n";
  for (const auto& [part, value] : report.parts) {
    std::cout << std::left << std::setw(15) << part << " " << value << "\n";
  }
  std::cout << "specials        " << specials_text(report) << "\n"
            << "roles           " << roles_text(report.roles) << "\n"
            << "sha256          " << report.sha256 << "\n"
            << "tried           " << report.texts << " texts: " << report.returned
            << " come back byte for byte, " << report.texts - report.returned - report.refused
            << " changed, " << report.refused << " refused\n";
  if (report.roles.unk >= 0) {
    std::cout << "unknown         " << report.unknown << " of their " << report.tokens
              << " tokens, id " << report.roles.unk << "\n";
  }
  std::cout << std::flush;
}

class Verify : public TokenizerCommand {
 public:
  explicit Verify(CLI::App& app) {
    app.add_option("T", tokenizer_, "tokenizer: byte, a file, or a folder of one")->required();
    app.add_option("--golden", golden_,
                   "JSONL of {\"text\": ..., \"ids\": [...]}: the ids must be these");
    app.footer(
        "Supported parts of a tokenizer.json; any other is refused by name:\n"
        "  model           BPE, WordPiece, Unigram, WordLevel\n"
        "  normalizer      NFC NFD NFKC NFKD Lowercase StripAccents Strip Prepend\n"
        "                  BertNormalizer Replace (a text, or runs as \" {2,}\")\n"
        "                  Precompiled Sequence\n"
        "  pre_tokenizer   ByteLevel BertPreTokenizer Metaspace Whitespace Digits\n"
        "                  WhitespaceSplit Punctuation Split (known ones) Sequence\n"
        "  post_processor  TemplateProcessing ByteLevel BertProcessing\n"
        "                  RobertaProcessing Sequence\n"
        "  decoder         ByteLevel WordPiece Metaspace BPEDecoder ByteFallback\n"
        "                  Fuse Strip Replace Sequence\n"
        "Example: pretrain tokenizer verify data/kjv.tokenizer.json");
  }

  ExitCode run(const Process&) override {
    const auto tokenizer = open_tokenizer(tokenizer_);
    const TokenizerReport report = check_tokenizer(*tokenizer);
    print(tokenizer_, report);
    if (!report.problems.empty()) {
      fail(ExitCode::kBadData, tokenizer_, ": ", report.problems.front());
    }
    if (!golden_.empty()) compare_with_golden(*tokenizer);
    return ExitCode::kOk;
  }

 private:
  void compare_with_golden(const Tokenizer& tokenizer) const {
    UnitReader reader(golden_, {.kind = UnitSeparator::Kind::kLine});
    std::vector<std::string_view> lines;
    std::uint64_t line_number = 0;
    std::uint64_t ids = 0;
    while (reader.next(lines, std::uint64_t{1} << 20)) {
      for (const std::string_view line : lines) {
        const std::string place = concat(golden_, ":", ++line_number);
        ids += compare_line(tokenizer, line, place);
      }
    }
    if (line_number == 0) fail(ExitCode::kBadData, golden_, ": has no line");
    std::cout << "golden          " << ids << " ids of " << line_number << " texts are equal"
              << std::endl;
  }

  std::size_t compare_line(const Tokenizer& tokenizer, std::string_view line,
                           const std::string& place) const {
    const JsonValue value = parse_json(line, place);
    const JsonReader golden(value, place);
    std::vector<std::uint32_t> got;
    tokenizer.encode(golden.at("text").text(), got);
    std::vector<std::uint64_t> expected;
    for (const JsonReader& id : golden.at("ids").items()) expected.push_back(id.whole());
    const std::size_t shorter = std::min(got.size(), expected.size());
    std::size_t at = 0;
    while (at < shorter && got[at] == expected[at]) ++at;
    if (at == shorter && got.size() == expected.size()) return got.size();
    const auto shown = [&](const auto& ids) {
      return at < ids.size() ? std::to_string(ids[at]) : std::string("the end");
    };
    fail(ExitCode::kBadData, place, ": id ", at, ": expected ", shown(expected), ", got ",
         shown(got), ". ", tokenizer_, " is not the tokenizer that made the golden ids");
  }

  std::string tokenizer_;
  std::string golden_;
};

}  // namespace

std::unique_ptr<TokenizerCommand> make_verify_command(CLI::App& app) {
  return std::make_unique<Verify>(app);
}

}  // namespace pretrain
