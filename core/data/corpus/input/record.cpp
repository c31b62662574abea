#include "core/data/corpus/input/record.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/error.h"
#include "core/base/escape_control.h"
#include "core/data/corpus/input/csv_fields.h"
#include "core/data/corpus/input/file_kind.h"
#include "core/data/corpus/input/json_text.h"
#include "core/data/corpus/input/record_cutter.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

// Base of the parsers: what happens to text that is not UTF-8.
class PolicyParser : public RecordParser {
 public:
  PolicyParser(const std::string& input, const TextFormat& format)
      : input_(input == "-" ? "standard input" : input),
        field_(format.field),
        invalid_(format.invalid) {}

 protected:
  // False: `text` is to be left out. `byte_text` says where byte `bad` of it is.
  template <class Where>
  bool apply(std::string& text, InvalidCounts& counts, const Where& where) const {
    if (invalid_ == InvalidText::kReplace) {
      const std::uint64_t parts = replace_invalid_utf8(text);
      counts.replaced_parts += parts;
      counts.replaced_documents += parts > 0 ? 1 : 0;
      return true;
    }
    const auto bad = find_invalid_utf8(text);
    if (!bad) return true;
    if (invalid_ == InvalidText::kError) {
      fail(ExitCode::kBadData, where(*bad),
           "is not valid UTF-8. Convert the input to UTF-8 first, or give --invalid replace or "
           "--invalid skip");
    }
    ++counts.skipped_text;
    return false;
  }
  std::string line_text(const RecordPlace& place) const {
    return concat(input_, ":", place.line + 1);
  }
  bool skips() const { return invalid_ == InvalidText::kSkip; }
  bool replaces() const { return invalid_ == InvalidText::kReplace; }

  std::string input_;
  std::string field_;

 private:
  InvalidText invalid_;
};

class PlainText : public PolicyParser {
 public:
  using PolicyParser::PolicyParser;
  bool parse(std::string_view record, const RecordPlace& place, std::string& text,
             InvalidCounts& counts) const override {
    text.assign(record);
    return apply(text, counts, [&](std::size_t bad) {
      return concat(input_, ": byte ", place.offset + bad, " ");
    });
  }
  std::string place_text(const RecordPlace& place) const override {
    return concat(input_, ", byte ", place.offset);
  }
};

class JsonLine : public PolicyParser {
 public:
  using PolicyParser::PolicyParser;
  bool parse(std::string_view record, const RecordPlace& place, std::string& text,
             InvalidCounts& counts) const override {
    const std::size_t first = record.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return false;
    if (record[first] == '[' && place.offset == 0) refuse_array();
    const auto where = [&](std::size_t bad) {
      return concat(line_text(place), ": byte ", bad, " of the line ");
    };
    std::string changed;
    if (replaces()) {
      // Most lines need nothing: they are parsed where they are.
      changed = record;
      const std::uint64_t bytes = replace_invalid_utf8(changed);
      const std::uint64_t halves = replace_lone_surrogates(changed);
      counts.replaced_parts += bytes + halves;
      counts.replaced_documents += bytes + halves > 0 ? 1 : 0;
      if (bytes + halves > 0) record = changed;
    } else if (const auto bad = find_invalid_utf8(record)) {
      changed = record;
      return apply(changed, counts, where);
    }
    try {
      json_text(record, field_, line_text(place), text);
      return true;
    } catch (const Error&) {
      if (!skips()) throw;
    }
    changed = record;
    if (replace_lone_surrogates(changed) > 0) {
      ++counts.skipped_text;
    } else {
      ++counts.skipped_records;
    }
    return false;
  }
  std::string place_text(const RecordPlace& place) const override { return line_text(place); }

 private:
  [[noreturn]] void refuse_array() const {
    const std::string stem = input_.substr(0, input_.rfind(".json"));
    const char* lines = input_.ends_with(".json") ? ".jsonl" : ".lines.jsonl";
    fail(ExitCode::kBadData, input_, ":1: is a JSON array, expected an object a line. ",
         "Convert it: jq -c '.[]' ", input_, " > ", stem, lines);
  }
};

class CsvRecord : public PolicyParser {
 public:
  CsvRecord(const std::string& input, const TextFormat& format, char delimiter)
      : PolicyParser(input, format), delimiter_(delimiter) {
    std::size_t number = 0;
    const char* end = field_.data() + field_.size();
    const auto [stop, error] = std::from_chars(field_.data(), end, number);
    if (error != std::errc() || stop != end) return;
    if (number == 0) fail(ExitCode::kUsage, "--field 0: columns are counted from 1");
    column_ = number - 1;
  }

  bool needs_header() const { return !column_; }
  void read_header(std::string_view header, const RecordPlace& place) {
    const std::vector<std::string> names = csv_fields(header, delimiter_, line_text(place));
    const auto found = std::find(names.begin(), names.end(), field_);
    if (found == names.end()) {
      std::string have;
      for (const std::string& name : names) {
        if (have.size() < 200) have += (have.empty() ? "" : ", ") + escape_control(name);
      }
      fail(ExitCode::kBadData, line_text(place), ": no column \"", field_,
           "\" in the header: ", have,
           ". Choose one with --field, or its number in a file without header");
    }
    column_ = static_cast<std::size_t>(found - names.begin());
    const auto again = std::find(found + 1, names.end(), field_);
    if (again != names.end()) {
      fail(ExitCode::kBadData, line_text(place), ": column \"", escape_control(field_),
           "\" stands twice in the header, as fields ", *column_ + 1, " and ",
           again - names.begin() + 1, ". Rename one, or choose another with --field");
    }
  }

  bool parse(std::string_view record, const RecordPlace& place, std::string& text,
             InvalidCounts& counts) const override {
    if (record.empty()) return false;
    try {
      std::vector<std::string> fields = csv_fields(record, delimiter_, line_text(place));
      if (*column_ >= fields.size()) {
        fail(ExitCode::kBadData, line_text(place), ": has ", fields.size(),
             " fields, expected at least ", *column_ + 1, ". Mend the line, or see --invalid");
      }
      text = std::move(fields[*column_]);
    } catch (const Error&) {
      if (!skips()) throw;
      ++counts.skipped_records;
      return false;
    }
    return apply(text, counts, [&](std::size_t bad) {
      return concat(line_text(place), ": byte ", bad, " of the field ");
    });
  }
  std::string place_text(const RecordPlace& place) const override { return line_text(place); }

 private:
  char delimiter_;
  std::optional<std::size_t> column_;
};

std::string kind_of(const std::string& input, const TextFormat& format) {
  if (format.format != "auto") return format.format;
  switch (file_kind(input)) {
    case FileKind::kJsonl:
    case FileKind::kJson:
      return "jsonl";
    case FileKind::kCsv:
      return "csv";
    case FileKind::kTsv:
      return "tsv";
    case FileKind::kText:
    case FileKind::kAbout:
    case FileKind::kBinary:
    case FileKind::kOther:
      break;
  }
  return "text";
}

RecordInput open_csv(const std::string& input, const TextFormat& format, char delimiter,
                     const RecordPlace& begin) {
  const std::uint64_t limit = format.max_document_bytes;
  auto parser = std::make_shared<CsvRecord>(input, format, delimiter);
  auto reader = cut_csv(ByteSource::open(input), limit, {}, delimiter);
  if (parser->needs_header()) {
    std::string header;
    RecordPlace place;
    if (!reader->next(header, place)) {
      fail(ExitCode::kBadData, input, ": is empty, expected a header with the column ",
           format.field);
    }
    parser->read_header(header, place);
  }
  if (begin.offset > 0) reader = cut_csv(ByteSource::open(input), limit, begin, delimiter);
  return {std::move(reader), std::move(parser)};
}

}  // namespace

RecordInput open_records(const std::string& input, const TextFormat& format,
                         const RecordPlace& begin) {
  const std::string kind = kind_of(input, format);
  const std::uint64_t limit = format.max_document_bytes;
  if (kind == "csv" || kind == "tsv") {
    return open_csv(input, format, kind == "csv" ? ',' : '\t', begin);
  }
  if (kind == "jsonl") {
    return {cut_lines(ByteSource::open(input), limit, begin),
            std::make_shared<JsonLine>(input, format)};
  }
  if (kind != "text") {
    fail(ExitCode::kUsage, "--format ", kind, " is not known. Known: auto, text, jsonl, csv, tsv");
  }
  auto parser = std::make_shared<PlainText>(input, format);
  const std::string& separator = format.doc_sep;
  if (separator.empty())
    fail(ExitCode::kUsage, "--doc-sep is empty. Give blank, line, file or a text");
  auto source = ByteSource::open(input);
  if (separator == "blank") {
    return {cut_at_blank_lines(std::move(source), limit, begin), std::move(parser)};
  }
  if (separator == "line") return {cut_lines(std::move(source), limit, begin), std::move(parser)};
  return {cut_at_text(std::move(source), limit, begin, separator == "file" ? "" : separator),
          std::move(parser)};
}

}  // namespace pretrain
