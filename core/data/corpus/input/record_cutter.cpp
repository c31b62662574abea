#include "core/data/corpus/input/record_cutter.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Takes one line end off what stands in `out` from `begin` on.
void drop_line_end(std::string& out, std::size_t begin) {
  if (out.size() > begin && out.back() == '\n') out.pop_back();
  if (out.size() > begin && out.back() == '\r') out.pop_back();
}

class Lines : public RecordCutter {
 public:
  using RecordCutter::RecordCutter;
  bool next(std::string& out, RecordPlace& place) override {
    const std::size_t begin = out.size();
    place = position_;
    if (!take_line(out, begin, place)) return false;
    drop_line_end(out, begin);
    return true;
  }
};

class BlankLines : public RecordCutter {
 public:
  using RecordCutter::RecordCutter;
  bool next(std::string& out, RecordPlace& place) override {
    const std::size_t begin = out.size();
    while (true) {
      const std::size_t line = out.size();
      if (line == begin) place = position_;
      if (!take_line(out, begin, place)) break;
      const auto text = std::string_view(out).substr(line);
      if (text != "\n" && text != "\r\n" && text != "\r") continue;
      out.resize(line);
      if (line > begin) break;
    }
    const bool any = out.size() > begin;
    drop_line_end(out, begin);
    return any;
  }
};

class SeparatedText : public RecordCutter {
 public:
  SeparatedText(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes,
                const RecordPlace& begin, std::string separator)
      : RecordCutter(std::move(source), max_bytes, begin),
        separator_(std::move(separator)),
        after_separator_(begin.offset > 0) {}

  bool next(std::string& out, RecordPlace& place) override {
    constexpr std::size_t kChunk = 4096;  // taken at once: little goes back behind a separator
    const std::size_t begin = out.size();
    place = position_;
    bool separated = false;
    std::size_t searched = begin;  // no separator begins before it
    while (!separated && refill()) {
      take(std::min(rest_.size(), kChunk), out);
      const std::size_t end =
          separator_.empty() ? std::string::npos : out.find(separator_, searched);
      if (end != std::string::npos) {
        give_back(out.size() - end - separator_.size());
        out.resize(end);
        separated = true;
      } else {
        // A separator may begin here and end in the next piece.
        searched = std::max(begin, out.size() - std::min(out.size(), separator_.size()));
      }
      check_size(searched - begin, place);
    }
    check_size(out.size() - begin, place);
    const bool any = separated || out.size() > begin;
    if (!separator_.empty()) place.offset += trim(out, begin);
    after_separator_ = true;
    return any;
  }

 private:
  // Undoes the take of the last `size` bytes of the present piece.
  void give_back(std::size_t size) {
    rest_ = {rest_.data() - size, rest_.size() + size};
    position_.offset -= size;
  }
  // Takes the line ends off; the bytes of the first.
  std::size_t trim(std::string& out, std::size_t begin) const {
    const auto text = std::string_view(out).substr(begin);
    std::size_t line_end = text.starts_with("\r\n") ? 2 : text.starts_with('\n') ? 1 : 0;
    if (!after_separator_) line_end = 0;
    out.erase(begin, line_end);
    drop_line_end(out, begin);
    return line_end;
  }

  std::string separator_;
  bool after_separator_;
};

class CsvRecords : public RecordCutter {
 public:
  CsvRecords(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes, const RecordPlace& begin,
             char delimiter)
      : RecordCutter(std::move(source), max_bytes, begin), delimiter_(delimiter) {}

  bool next(std::string& out, RecordPlace& place) override {
    const std::size_t begin = out.size();
    place = position_;
    bool quoted = false;
    bool field_begins = true;
    while (true) {
      const std::size_t line = out.size();
      if (!take_line(out, begin, place)) break;
      for (std::size_t i = line; i < out.size(); ++i) {
        if (quoted) {
          // A doubled quote closes the field and opens it again.
          i = std::min(out.find('"', i), out.size());
          if (i < out.size()) quoted = false;
          field_begins = i + 1 < out.size() && out[i + 1] == '"';
        } else {
          quoted = field_begins && out[i] == '"';
          field_begins = out[i] == delimiter_;
        }
      }
      if (!quoted) break;
    }
    const bool any = out.size() > begin;
    if (!quoted) drop_line_end(out, begin);
    return any;
  }

 private:
  char delimiter_;
};

}  // namespace

RecordCutter::RecordCutter(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes,
                           const RecordPlace& begin)
    : source_(std::move(source)), max_bytes_(max_bytes), position_(begin) {
  if (begin.offset > 0) {
    source_->skip(begin.offset);
    return;
  }
  // Three bytes may come in as many pieces; those that are no mark are given back by the source.
  if (source_->skip_prefix(kByteOrderMark)) position_.offset = kByteOrderMark.size();
}

void RecordCutter::take(std::size_t size, std::string& out) {
  out.append(rest_.substr(0, size));
  rest_.remove_prefix(size);
  position_.offset += size;
}

bool RecordCutter::take_line(std::string& out, std::size_t record_begin, const RecordPlace& place) {
  bool any = false;
  while (refill()) {
    any = true;
    const std::size_t end = rest_.find('\n');
    const bool complete = end != std::string_view::npos;
    take(complete ? end + 1 : rest_.size(), out);
    check_size(out.size() - record_begin - (complete ? 1 : 0), place);
    if (complete) break;
  }
  if (any) ++position_.line;
  return any;
}

void RecordCutter::check_size(std::uint64_t size, const RecordPlace& place) const {
  if (size <= max_bytes_) return;
  fail(ExitCode::kBadData, source_->name(), ": the document at byte ", place.offset,
       " has more than ", max_bytes_, " bytes. Split it, or choose another --doc-sep");
}

std::unique_ptr<RecordReader> cut_lines(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes,
                                        const RecordPlace& begin) {
  return std::make_unique<Lines>(std::move(source), max_bytes, begin);
}
std::unique_ptr<RecordReader> cut_at_blank_lines(std::unique_ptr<ByteSource> source,
                                                 std::uint64_t max_bytes,
                                                 const RecordPlace& begin) {
  return std::make_unique<BlankLines>(std::move(source), max_bytes, begin);
}
std::unique_ptr<RecordReader> cut_at_text(std::unique_ptr<ByteSource> source,
                                          std::uint64_t max_bytes, const RecordPlace& begin,
                                          const std::string& separator) {
  return std::make_unique<SeparatedText>(std::move(source), max_bytes, begin, separator);
}
std::unique_ptr<RecordReader> cut_csv(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes,
                                      const RecordPlace& begin, char delimiter) {
  return std::make_unique<CsvRecords>(std::move(source), max_bytes, begin, delimiter);
}

}  // namespace pretrain
