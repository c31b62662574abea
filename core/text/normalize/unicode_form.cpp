#include <cstddef>

#include "core/text/normalize/normalizers.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

class UnicodeForm : public Normalizer {
 public:
  explicit UnicodeForm(NormalizationForm form) : form_(form) {}

  // Rewrites only where something acts: from the code point before it to the next inert one.
  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    TextRewriter next(text);
    std::size_t kept = 0;    // what is before it was written
    std::size_t before = 0;  // the last inert code point, not before `kept`
    Segment segment;
    for (std::size_t end = 0; end < old.size();) {
      const std::size_t begin = end;
      if (is_inert(form_, next_code_point(old, end))) {
        before = begin;
        continue;
      }
      end = read_segment(old, before, segment);
      next.keep(kept, before);
      write_form(segment, next);
      kept = before = end;
    }
    if (kept == 0) return;
    next.keep(kept, old.size());
    next.finish();
  }

 private:
  struct Segment {
    std::vector<std::uint32_t> code_points;
    std::vector<std::size_t> ends;  // of each, in the text
    std::size_t begin = 0;
    std::vector<FormCodePoint> form;
  };

  // Reads the code point at `begin` and all behind it up to an inert one; returns where that is.
  std::size_t read_segment(const std::string& old, std::size_t begin, Segment& segment) const {
    segment.code_points.clear();
    segment.ends.clear();
    segment.begin = begin;
    std::size_t end = begin;
    while (end < old.size()) {
      std::size_t next = end;
      const std::uint32_t code_point = next_code_point(old, next);
      if (segment.code_points.size() > 1 && is_inert(form_, code_point)) break;
      segment.code_points.push_back(code_point);
      segment.ends.push_back(end = next);
    }
    return end;
  }

  // What was inserted stands for the code point before it, a composed one for its first.
  void write_form(Segment& segment, TextRewriter& next) const {
    segment.form.clear();
    append_form(form_, segment.code_points, segment.form);
    std::string by;
    std::size_t used = 0;
    for (const FormCodePoint& part : segment.form) {
      const std::size_t source = part.used > 0 || used == 0 ? used : used - 1;
      by.clear();
      append_utf8(part.code_point, by);
      next.put(by, source == 0 ? segment.begin : segment.ends[source - 1], segment.ends[source]);
      used += static_cast<std::size_t>(part.used);
    }
  }

  NormalizationForm form_;
};

}  // namespace

std::unique_ptr<Normalizer> make_unicode_form(NormalizationForm form) {
  return std::make_unique<UnicodeForm>(form);
}

}  // namespace pretrain
