#include <algorithm>
#include <array>

#include "core/text/normalize/normalizers.h"
#include "core/text/unicode/character_set.h"
#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

bool is_cjk_ideograph(std::uint32_t c) {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  // As in BERT's code, but that begins the last extension at U+2B820, `tokenizers` at U+2B920.
  static constexpr std::array<Range, 8> kRanges = {{{0x3400, 0x4DBF},
                                                    {0x4E00, 0x9FFF},
                                                    {0xF900, 0xFAFF},
                                                    {0x20000, 0x2A6DF},
                                                    {0x2A700, 0x2B73F},
                                                    {0x2B740, 0x2B81F},
                                                    {0x2B920, 0x2CEAF},
                                                    {0x2F800, 0x2FA1F}}};
  return c >= kRanges[0].first && std::any_of(kRanges.begin(), kRanges.end(), [c](const Range& r) {
           return c >= r.first && c <= r.last;
         });
}

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options)
      : clean_(options.clean_text),
        space_cjk_(options.handle_chinese_chars),
        strip_accents_(options.strip_accents.value_or(options.lowercase)),
        decompose_(make_unicode_form(NormalizationForm::kNfd)),
        lowercase_(options.lowercase ? make_lowercase() : nullptr) {}

  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    const bool ascii =
        std::none_of(old.begin(), old.end(), [](char byte) { return (byte & 0x80) != 0; });
    rewrite(text, [&](std::uint32_t c, std::string& by) { return clean_or_space(c, by); });
    if (strip_accents_ && !ascii) {
      decompose_->normalize(text);
      rewrite(text, [](std::uint32_t c, std::string&) {
        return c >= 0x80 && is_in(CharacterSet::kBertAccents, c);
      });
    }
    if (lowercase_) lowercase_->normalize(text);
  }

 private:
  // Replaces each code point for which changes(c, by) holds by what it appended to `by`.
  template <class Changes>
  static void rewrite(NormalizedText& text, Changes changes) {
    const std::string& old = text.text();
    TextRewriter next(text);
    std::size_t kept = 0;
    std::string by;
    for (std::size_t end = 0; end < old.size();) {
      const std::size_t begin = end;
      const std::uint32_t c = next_code_point(old, end);
      if (c >= ' ' && c < 0x7F) continue;  // most text
      by.clear();
      if (!changes(c, by)) continue;
      next.keep(kept, begin);
      next.put(by, begin, end);
      kept = end;
    }
    if (kept == 0) return;
    next.keep(kept, old.size());
    next.finish();
  }

  bool clean_or_space(std::uint32_t c, std::string& by) const {
    if (clean_) {
      const bool is_control = is_in(CharacterSet::kBertControls, c);
      if (!is_control && is_white_space(c)) by = " ";
      if (is_control || !by.empty()) return true;
    }
    if (!space_cjk_ || !is_cjk_ideograph(c)) return false;
    by = " ";
    append_utf8(c, by);
    by += " ";
    return true;
  }

  bool clean_;
  bool space_cjk_;
  bool strip_accents_;
  std::unique_ptr<Normalizer> decompose_;
  std::unique_ptr<Normalizer> lowercase_;  // null: case stays
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options) {
  return std::make_unique<BertNormalizer>(options);
}

}  // namespace pretrain
