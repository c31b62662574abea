#include <algorithm>

#include "core/base/error.h"
#include "core/text/special_vocabulary.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kBytes = 256;

class ByteTokenizer : public Tokenizer {
 public:
  ByteTokenizer(SpecialVocabulary specials, bool has_marks)
      : specials_(std::move(specials)), has_marks_(has_marks) {}

  std::int64_t vocab_size() const override { return specials_.vocab_size(); }
  std::int64_t eos_id() const override { return specials_.eos_id(); }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    return specials_.id_of(token);
  }
  std::vector<std::uint32_t> special_ids() const override { return specials_.ids(); }

  void encode(std::string_view text, std::vector<std::uint32_t>& ids) const override {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    ids.insert(ids.end(), bytes, bytes + text.size());
  }

  void encode_with_spans(std::string_view text, std::vector<std::uint32_t>& ids,
                         std::vector<TextSpan>& spans) const override {
    encode(text, ids);
    for (std::size_t i = 0; i < text.size(); ++i) spans.push_back({i, i + 1});
  }

  std::string decode(const std::vector<std::uint32_t>& ids) const override {
    std::string text;
    text.reserve(ids.size());
    for (std::uint32_t id : ids) {
      if (id < kBytes) {
        text.push_back(static_cast<char>(id));
      } else if (id >= vocab_size()) {
        fail(ExitCode::kBadData, "byte tokenizer: id ", id, ", expected 0 to ", vocab_size() - 1);
      }
    }
    return text;
  }

  std::string to_json() const override {
    return write_tokenizer_json({.vocabulary = byte_symbols(),
                                 .byte_level = true,
                                 .specials = specials_.texts(),
                                 .has_marks = has_marks_});
  }

 private:
  SpecialVocabulary specials_;
  bool has_marks_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer(const std::vector<std::string>& specials,
                                               bool has_marks) {
  const auto is_symbol = [symbols = byte_symbols()](const std::string& text) {
    return std::find(symbols.begin(), symbols.end(), text) != symbols.end();
  };
  return std::make_unique<ByteTokenizer>(SpecialVocabulary(kBytes, true, specials, is_symbol),
                                         has_marks);
}

}  // namespace pretrain
