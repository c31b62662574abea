#include "core/text/training/word_splitter.h"

#include <memory>

#include "core/base/json/json_reader.h"
#include "core/text/format/part/parts.h"

namespace pretrain {
namespace {

constexpr const char* kPlace = "the tokenizer to train";

class Splitter {
 public:
  explicit Splitter(const DocumentParts& parts)
      : normalizer_(read_normalizer(parse_json(parts.normalizer, kPlace), kPlace)),
        pre_tokenizer_(read_pre_tokenizer(parse_json(parts.pre_tokenizer, kPlace), true, kPlace)) {}

  void split(std::string_view document, const std::function<void(std::string_view)>& use) const {
    if (!normalizer_.object && pre_tokenizer_.pattern && !pre_tokenizer_.prefix_space) {
      for_each_piece(*pre_tokenizer_.pattern, document, [&](std::size_t begin, std::size_t end) {
        use(document.substr(begin, end - begin));
      });
      return;
    }
    NormalizedText text(std::string(document), 0, false);
    if (normalizer_.object) normalizer_.object->normalize(text);
    Pieces pieces(std::move(text));
    if (pre_tokenizer_.object) pre_tokenizer_.object->pre_tokenize(pieces);
    const std::string_view whole = pieces.text.text();
    for (const PieceRange& range : pieces.ranges) {
      use(whole.substr(range.begin, range.end - range.begin));
    }
  }

 private:
  NormalizerPart normalizer_;
  PreTokenizerPart pre_tokenizer_;
};

}  // namespace

WordSplitter make_word_splitter(const DocumentParts& parts) {
  const auto splitter = std::make_shared<Splitter>(parts);
  return [splitter](std::string_view document, const std::function<void(std::string_view)>& use) {
    splitter->split(document, use);
  };
}

}  // namespace pretrain
