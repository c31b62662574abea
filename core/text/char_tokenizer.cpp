#include <algorithm>
#include <iomanip>

#include "core/base/error.h"
#include "core/text/special_vocabulary.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kNoId = UINT32_MAX;

class CharTokenizer : public Tokenizer {
 public:
  CharTokenizer(std::vector<std::uint32_t> code_points, SpecialVocabulary specials, bool has_marks)
      : code_points_(std::move(code_points)),
        specials_(std::move(specials)),
        has_marks_(has_marks) {
    id_of_.assign(std::size_t{code_points_.back()} + 1, kNoId);
    for (std::uint32_t id = 0; id < code_points_.size(); ++id) id_of_[code_points_[id]] = id;
  }

  std::int64_t vocab_size() const override { return specials_.vocab_size(); }
  std::int64_t eos_id() const override { return specials_.eos_id(); }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    return specials_.id_of(token);
  }
  std::vector<std::uint32_t> special_ids() const override { return specials_.ids(); }

  void encode(std::string_view text, std::vector<std::uint32_t>& ids) const override {
    if (const auto bad = find_invalid_utf8(text)) {
      fail(ExitCode::kBadData, "char tokenizer: byte ", *bad, " of the text is not valid UTF-8");
    }
    std::size_t offset = 0;
    while (offset < text.size()) {
      const std::size_t start = offset;
      const std::uint32_t code_point = next_code_point(text, offset);
      const std::uint32_t id = code_point < id_of_.size() ? id_of_[code_point] : kNoId;
      if (id == kNoId) {
        fail(ExitCode::kBadData, "char tokenizer: the character U+", std::uppercase, std::hex,
             std::setw(4), std::setfill('0'), code_point, std::dec, " at byte ", start,
             " of the text is not in the vocabulary of ", code_points_.size(),
             " characters. Build the tokenizer from text that has it");
      }
      ids.push_back(id);
    }
  }

  void encode_with_spans(std::string_view text, std::vector<std::uint32_t>& ids,
                         std::vector<TextSpan>& spans) const override {
    encode(text, ids);
    for (std::size_t offset = 0; offset < text.size();) {
      const std::size_t begin = offset;
      next_code_point(text, offset);
      spans.push_back({begin, offset});
    }
  }

  std::string decode(const std::vector<std::uint32_t>& ids) const override {
    std::string text;
    for (std::uint32_t id : ids) {
      if (id < code_points_.size()) {
        append_utf8(code_points_[id], text);
      } else if (id >= vocab_size()) {
        fail(ExitCode::kBadData, "char tokenizer: id ", id, ", expected 0 to ", vocab_size() - 1);
      }
    }
    return text;
  }

  std::string to_json() const override {
    PlainBpe bpe{.vocabulary = {},
                 .byte_level = false,
                 .specials = specials_.texts(),
                 .has_marks = has_marks_};
    for (std::uint32_t code_point : code_points_) {
      append_utf8(code_point, bpe.vocabulary.emplace_back());
    }
    return write_tokenizer_json(bpe);
  }

 private:
  std::vector<std::uint32_t> code_points_;  // ascending
  std::vector<std::uint32_t> id_of_;        // by code point
  SpecialVocabulary specials_;
  bool has_marks_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_char_tokenizer(const std::vector<std::uint32_t>& code_points,
                                               bool with_eos,
                                               const std::vector<std::string>& specials,
                                               bool has_marks) {
  std::vector<std::uint32_t> sorted = code_points;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.empty()) fail(ExitCode::kBadData, "char tokenizer: the text has no characters");
  for (std::uint32_t code_point : sorted) {
    if (code_point > kMaxCodePoint || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
      fail(ExitCode::kBadData, "char tokenizer: ", code_point, " is no Unicode scalar value");
    }
  }
  const auto is_character = [&](const std::string& text) {
    std::size_t offset = 0;
    const std::uint32_t code_point = next_code_point(text, offset);
    return offset == text.size() && std::binary_search(sorted.begin(), sorted.end(), code_point);
  };
  SpecialVocabulary tokens(static_cast<std::uint32_t>(sorted.size()), with_eos, specials,
                           is_character);
  return std::make_unique<CharTokenizer>(std::move(sorted), std::move(tokens), has_marks);
}

}  // namespace pretrain
