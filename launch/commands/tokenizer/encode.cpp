#include <CLI/CLI.hpp>
#include <charconv>

#include "core/base/files/standard_output.h"
#include "core/base/json/json_writer.h"
#include "core/base/parallel_for.h"
#include "core/text/format/open_tokenizer.h"
#include "launch/commands/command_words.h"
#include "launch/commands/tokenizer/tokenizer_command.h"
#include "launch/commands/tokenizer/unit_reader.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kBatchBytes = std::uint64_t{8} << 20;
// Small enough that threads end a batch together, large enough that handing out costs nothing.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

void append_number(std::uint64_t value, std::string& text) {
  char digits[20];
  text.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

class Encode : public TokenizerCommand {
 public:
  explicit Encode(CLI::App& app) {
    app.add_option("T", tokenizer_, "tokenizer: byte, a file, or a folder of one")->required();
    app.add_option("FILE", input_, "text; - is the standard input")->capture_default_str();
    app.add_option("--doc-sep", separator_,
                   "what ends a text: line, file, framed or any TEXT; each text is\n"
                   "encoded on its own. framed: before each its bytes, as u32")
        ->capture_default_str();
    choose_from(app.add_option("--format", format_,
                               "ids: one line a text; tokens: a JSON list a text;\n"
                               "u32: number of ids, then the ids, little-endian"),
                {"ids", "tokens", "u32"})
        ->capture_default_str();
    app.add_flag("--spans", spans_,
                 "with each id the bytes of the text that it stands for:\n"
                 "id:begin:end, with u32 three numbers, tokens: [token,begin,end]");
    app.add_option("--threads", threads_, "0: all cores")->capture_default_str();
    app.footer(
        "Special tokens written in a text are ordinary text, and none are added.\n"
        "Example: pretrain tokenizer encode data/kjv.tokenizer.json data/kjv.txt");
  }

  ExitCode run(const Process& process) override {
    const auto tokenizer = open_tokenizer(tokenizer_);
    UnitReader reader(input_, UnitSeparator::parse(separator_));
    const unsigned threads =
        threads_ > 0 ? threads_ : static_cast<unsigned>(process.threads_per_rank());
    ProgressLine progress;
    const ProgressFunction report = progress.function();
    std::vector<std::string_view> units;
    std::uint64_t texts = 0;
    while (reader.next(units, kBatchBytes * threads)) {
      encode_batch(*tokenizer, units, threads, texts);
      texts += units.size();
      report({"encoding", reader.bytes_read(), reader.total_bytes()});
    }
    return ExitCode::kOk;
  }

 private:
  // Encodes in pieces of whole texts, and writes the pieces in their order.
  void encode_batch(const Tokenizer& tokenizer, const std::vector<std::string_view>& units,
                    unsigned threads, std::uint64_t texts_before) const {
    std::vector<std::size_t> begins{0};
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      bytes += units[i].size();
      if (bytes < kPieceBytes && i + 1 < units.size()) continue;
      begins.push_back(i + 1);
      bytes = 0;
    }
    std::vector<std::string> outputs(begins.size() - 1);
    parallel_for(outputs.size(), threads, [&](std::size_t piece) {
      Ids ids;
      for (std::size_t i = begins[piece]; i < begins[piece + 1]; ++i) {
        try {
          encode_text(tokenizer, units[i], ids);
        } catch (const Error& error) {
          fail(error.code(), "text ", texts_before + i + 1, ": ", error.what());
        }
        append(tokenizer, ids, outputs[piece]);
      }
    });
    for (const std::string& output : outputs) write_standard_output(output);
  }

  struct Ids {
    std::vector<std::uint32_t> ids;
    std::vector<TextSpan> spans;
  };

  void encode_text(const Tokenizer& tokenizer, std::string_view text, Ids& out) const {
    out.ids.clear();
    out.spans.clear();
    if (spans_) {
      tokenizer.encode_with_spans(text, out.ids, out.spans);
    } else {
      tokenizer.encode(text, out.ids);
    }
  }

  void append(const Tokenizer& tokenizer, const Ids& encoded, std::string& output) const {
    if (format_ == "u32") {
      append_u32(static_cast<std::uint32_t>(encoded.ids.size()), output);
    } else if (format_ == "tokens") {
      output += '[';
    }
    for (std::size_t i = 0; i < encoded.ids.size(); ++i) {
      const std::uint32_t id = encoded.ids[i];
      const TextSpan* span = spans_ ? &encoded.spans[i] : nullptr;
      if (format_ == "u32") {
        append_u32(id, output);
        if (span) append_u32(static_cast<std::uint32_t>(span->begin), output);
        if (span) append_u32(static_cast<std::uint32_t>(span->end), output);
        continue;
      }
      if (i > 0) output += format_ == "ids" ? ' ' : ',';
      if (format_ == "ids") {
        append_number(id, output);
        if (span) append_span(*span, ':', output);
      } else {
        if (span) output += '[';
        output += json_string(tokenizer.decode({id}));
        if (span) append_span(*span, ',', output);
        if (span) output += ']';
      }
    }
    if (format_ == "tokens") output += ']';
    if (format_ != "u32") output += '\n';
  }

  static void append_span(const TextSpan& span, char separator, std::string& output) {
    output += separator;
    append_number(span.begin, output);
    output += separator;
    append_number(span.end, output);
  }

  std::string tokenizer_;
  std::string input_ = "-";
  std::string separator_ = "line";
  std::string format_ = "ids";
  bool spans_ = false;
  unsigned threads_ = 0;
};

}  // namespace

std::unique_ptr<TokenizerCommand> make_encode_command(CLI::App& app) {
  return std::make_unique<Encode>(app);
}

}  // namespace pretrain
