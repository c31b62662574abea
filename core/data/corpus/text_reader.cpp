#include "core/data/corpus/text_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/escape_control.h"
#include "core/base/files/file.h"
#include "core/base/json/json_reader.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

// Bytes of an input in pieces.
class ByteSource {
 public:
  explicit ByteSource(const std::string& input)
      : name_(input == "-" ? "standard input" : input),
        descriptor_(input == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                 : ::open(input.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_.get() < 0) fail_input(errno, name_, "open");
    struct stat info {};
    if (::fstat(descriptor_.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
      fail(ExitCode::kBadData, name_, ": is a folder. Name the files in it");
    }
  }

  // The next piece, empty at the end; valid until the next call.
  std::string_view read_some() {
    while (true) {
      const ssize_t n = ::read(descriptor_.get(), buffer_.data(), buffer_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail_input(errno, name_, "read");
      bytes_ += static_cast<std::uint64_t>(n);
      return {buffer_.data(), static_cast<std::size_t>(n)};
    }
  }
  const std::string& name() const { return name_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::string name_;
  FileDescriptor descriptor_;
  std::uint64_t bytes_ = 0;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 20);
};

// Base of the readers: the checks that every document of a text input goes through.
class TextReader : public DocumentReader {
 public:
  TextReader(const std::string& input, const TextFormat& format)
      : source_(input), max_bytes_(format.max_document_bytes) {}
  std::uint64_t bytes_read() const override { return source_.bytes(); }

 protected:
  // `text` begins at byte `offset` of the input.
  void check_text(std::string_view text, std::uint64_t offset) const {
    check_size(text.size(), offset);
    if (const auto bad = find_invalid_utf8(text)) {
      fail(ExitCode::kBadData, source_.name(), ": byte ", offset + *bad,
           " is not valid UTF-8. Convert the text to UTF-8 first");
    }
  }
  void check_size(std::uint64_t size, std::uint64_t offset) const {
    if (size <= max_bytes_) return;
    fail(ExitCode::kBadData, source_.name(), ": the document at byte ", offset, " has more than ",
         max_bytes_, " bytes. Split it, or choose another --doc-sep");
  }

  ByteSource source_;
  std::uint64_t max_bytes_;
};

// Splits an input into lines.
class LineReader : public TextReader {
 public:
  using TextReader::TextReader;

 protected:
  // The next line without its line end (LF or CRLF); false at the end of the input.
  bool next_line(std::string& line) {
    line.clear();
    line_begin_ = position_;
    bool any = false;
    while (true) {
      if (rest_.empty()) rest_ = source_.read_some();
      if (rest_.empty()) break;
      any = true;
      const std::size_t end = rest_.find('\n');
      const std::size_t length = std::min(end, rest_.size());
      line.append(rest_.substr(0, length));
      position_ += length;
      rest_.remove_prefix(length);
      check_size(line.size(), line_begin_);
      if (end == std::string_view::npos) continue;
      rest_.remove_prefix(1);
      ++position_;
      break;
    }
    had_carriage_return_ = line.ends_with('\r');
    if (had_carriage_return_) line.pop_back();
    if (any) ++line_number_;
    return any;
  }

  std::uint64_t line_begin_ = 0;   // byte of the input
  std::uint64_t line_number_ = 0;  // from 1
  bool had_carriage_return_ = false;

 private:
  std::string_view rest_;
  std::uint64_t position_ = 0;
};

class LineDocuments : public LineReader {
 public:
  using LineReader::LineReader;
  bool next(std::string& text) override {
    if (!next_line(text)) return false;
    check_text(text, line_begin_);
    return true;
  }
};

class BlankLineDocuments : public LineReader {
 public:
  using LineReader::LineReader;
  bool next(std::string& text) override {
    text.clear();
    std::uint64_t begin = 0;
    const char* line_end = "";
    while (next_line(line_)) {
      if (line_.empty() && text.empty()) continue;
      if (line_.empty()) break;
      if (text.empty()) begin = line_begin_;
      text += line_end;
      text += line_;
      line_end = had_carriage_return_ ? "\r\n" : "\n";
      check_size(text.size(), begin);
    }
    check_text(text, begin);
    return !text.empty();
  }

 private:
  std::string line_;
};

class JsonLines : public LineReader {
 public:
  JsonLines(const std::string& input, const TextFormat& format)
      : LineReader(input, format), field_(format.field) {}
  bool next(std::string& text) override {
    while (next_line(line_)) {
      if (line_.find_first_not_of(" \t\r") == std::string::npos) continue;
      const std::string place = concat(source_.name(), ":", line_number_);
      if (const auto bad = find_invalid_utf8(line_)) {
        fail(ExitCode::kBadData, place, ": byte ", *bad,
             " of the line is not valid UTF-8. Convert the file to UTF-8 first");
      }
      const JsonValue value = parse_json(line_, place, {.max_bytes = max_bytes_});
      text = field_of(JsonReader(value, place));
      return true;
    }
    return false;
  }

 private:
  const std::string& field_of(const JsonReader& line) const {
    std::string have;
    for (const auto& [name, value] : line.members()) {
      if (name == field_) return value.text();
      if (have.size() < 200) have += (have.empty() ? "" : ", ") + escape_control(name);
    }
    fail(ExitCode::kBadData, line.place(), ": no field \"", field_, "\", fields here: ", have,
         ". Choose one with --field");
  }

  std::string field_;
  std::string line_;
};

// Documents between occurrences of a text; an empty separator never occurs.
class SeparatedDocuments : public TextReader {
 public:
  SeparatedDocuments(const std::string& input, const TextFormat& format, std::string separator)
      : TextReader(input, format), separator_(std::move(separator)) {}

  bool next(std::string& text) override {
    const std::size_t length = find_end();
    if (length == 0 && at_end()) return false;
    text.assign(pending_, begin_, length);
    const std::uint64_t offset = position_;
    const std::size_t used = at_end(length) ? length : length + separator_.size();
    begin_ += used;
    position_ += used;
    check_text(text, offset);
    if (!separator_.empty()) trim_line_ends(text, offset > 0);
    return true;
  }

 private:
  static void trim_line_ends(std::string& text, bool follows_separator) {
    if (follows_separator && text.starts_with("\r\n")) {
      text.erase(0, 2);
    } else if (follows_separator && text.starts_with('\n')) {
      text.erase(0, 1);
    }
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
  }

  // Length of the document that starts at begin_: up to the next separator or the end of the input.
  std::size_t find_end() {
    std::size_t searched = 0;
    while (true) {
      if (!separator_.empty()) {
        const std::size_t end = pending_.find(separator_, begin_ + searched);
        if (end != std::string::npos) return end - begin_;
      }
      const std::size_t have = pending_.size() - begin_;
      check_size(have - std::min(have, separator_.size()), position_);
      if (ended_) return have;
      // A separator may begin in this piece and end in the next.
      searched = have - std::min(have, separator_.size());
      pending_.erase(0, begin_);
      begin_ = 0;
      const std::string_view more = source_.read_some();
      ended_ = more.empty();
      pending_ += more;
    }
  }
  // Nothing follows the document of `length` bytes.
  bool at_end(std::size_t length = 0) const { return ended_ && begin_ + length == pending_.size(); }

  std::string separator_;
  std::string pending_;  // read but not yet given out, from begin_ on
  std::size_t begin_ = 0;
  std::uint64_t position_ = 0;  // of begin_ in the input
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<DocumentReader> open_documents(const std::string& input, const TextFormat& format) {
  std::string kind = format.format;
  if (kind == "auto") {
    kind = input.ends_with(".jsonl") || input.ends_with(".ndjson") ? "jsonl" : "text";
  }
  if (kind == "jsonl") return std::make_unique<JsonLines>(input, format);
  if (kind != "text") {
    fail(ExitCode::kUsage, "--format ", kind, " is not known. Known: auto, text, jsonl");
  }
  if (format.doc_sep == "blank") return std::make_unique<BlankLineDocuments>(input, format);
  if (format.doc_sep == "line") return std::make_unique<LineDocuments>(input, format);
  if (format.doc_sep == "file") return std::make_unique<SeparatedDocuments>(input, format, "");
  if (format.doc_sep.empty())
    fail(ExitCode::kUsage, "--doc-sep is empty. Give blank, line, file or a text");
  return std::make_unique<SeparatedDocuments>(input, format, format.doc_sep);
}

}  // namespace pretrain
