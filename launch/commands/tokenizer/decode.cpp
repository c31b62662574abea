#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "core/base/escape_control.h"
#include "core/base/files/standard_output.h"
#include "core/text/format/open_tokenizer.h"
#include "launch/commands/command_words.h"
#include "launch/commands/tokenizer/tokenizer_command.h"
#include "launch/commands/tokenizer/unit_reader.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kBatchBytes = std::uint64_t{8} << 20;
constexpr std::size_t kShownBytes = 40;

class Decode : public TokenizerCommand {
 public:
  explicit Decode(CLI::App& app) {
    app.add_option("T", tokenizer_, "tokenizer: byte, a file, or a folder of one")->required();
    app.add_option("FILE", input_, "ids, one line a text; - is the standard input")
        ->capture_default_str();
    choose_from(app.add_option("--format", format_,
                               "ids: numbers between blanks; u32: number of ids, then the ids,\n"
                               "little-endian, as `encode --format u32` writes them"),
                {"ids", "u32"})
        ->capture_default_str();
    app.add_option("--doc-sep", separator_,
                   "what is written after each text: line (a line end), file (nothing)\n"
                   "or any TEXT; framed: its bytes as u32 before each")
        ->capture_default_str();
    app.footer("Example: pretrain tokenizer decode data/kjv.tokenizer.json ids.txt");
  }

  ExitCode run(const Process&) override {
    const auto tokenizer = open_tokenizer(tokenizer_);
    const UnitSeparator after = UnitSeparator::parse(separator_);
    const bool binary = format_ == "u32";
    UnitReader reader(
        input_, {.kind = binary ? UnitSeparator::Kind::kFramedIds : UnitSeparator::Kind::kLine});
    ProgressLine progress;
    const ProgressFunction report = progress.function();
    std::vector<std::string_view> units;
    std::string output;
    while (reader.next(units, kBatchBytes)) {
      output.clear();
      for (const std::string_view unit : units) {
        ++text_number_;
        const std::string text = tokenizer->decode(binary ? read_binary(unit) : read_line(unit));
        append(text, after, output);
      }
      write_standard_output(output);
      report({"decoding", reader.bytes_read(), reader.total_bytes()});
    }
    return ExitCode::kOk;
  }

 private:
  static std::vector<std::uint32_t> read_binary(std::string_view bytes) {
    std::vector<std::uint32_t> ids(bytes.size() / 4);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = read_u32(bytes.substr(4 * i));
    return ids;
  }

  std::vector<std::uint32_t> read_line(std::string_view line) const {
    std::vector<std::uint32_t> ids;
    const char* const end = line.data() + line.size();
    for (const char* at = line.data(); at != end;) {
      if (*at == ' ' || *at == '\t') {
        ++at;
        continue;
      }
      const auto [next, error] = std::from_chars(at, end, ids.emplace_back());
      if (error != std::errc() || (next != end && *next != ' ' && *next != '\t')) {
        const std::string_view wrong(at, static_cast<std::size_t>(std::find(at, end, ' ') - at));
        fail(ExitCode::kBadData, "line ", text_number_, ": ",
             escape_control(wrong.substr(0, kShownBytes)), " is no id, expected 0 to 4294967295");
      }
      at = next;
    }
    return ids;
  }

  static void append(const std::string& text, const UnitSeparator& after, std::string& output) {
    using Kind = UnitSeparator::Kind;
    if (after.kind == Kind::kFramed) append_u32(static_cast<std::uint32_t>(text.size()), output);
    output += text;
    if (after.kind == Kind::kLine) output += '\n';
    output += after.text;
  }

  std::string tokenizer_;
  std::string input_ = "-";
  std::string format_ = "ids";
  std::string separator_ = "line";
  std::uint64_t text_number_ = 0;
};

}  // namespace

std::unique_ptr<TokenizerCommand> make_decode_command(CLI::App& app) {
  return std::make_unique<Decode>(app);
}

}  // namespace pretrain
