#include "core/text/pipeline/pipeline_tokenizer.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/text/model/bpe.h"
#include "core/text/token_roles.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

using Ids = std::vector<std::uint32_t>;
using Spans = std::vector<TextSpan>;

class PipelineTokenizer : public Tokenizer {
 public:
  explicit PipelineTokenizer(PipelineParts parts)
      : parts_(std::move(parts)), added_(std::move(parts_.added), parts_.normalizer.get()) {
    vocab_size_ = static_cast<std::int64_t>(parts_.model->size());
    std::set<std::uint32_t> special;
    for (const AddedToken& token : added_.tokens()) {
      vocab_size_ = std::max(vocab_size_, std::int64_t{token.id} + 1);
      if (!token.special) continue;
      special.insert(token.id);
      special_of_.emplace(token.content, token.id);
    }
    if (parts_.unknown) {
      special.insert(*parts_.unknown);
      special_of_.emplace(token_text(*parts_.unknown), *parts_.unknown);
    }
    special_ids_.assign(special.begin(), special.end());
    eos_id_ = usual_eos([this](std::string_view text) { return id_of(text); });
    takes_any_bytes_ = parts_.bytes && parts_.pattern && parts_.normalizer == nullptr &&
                       !added_.any(false) && !added_.any(true);
    if (takes_any_bytes_) whole_text_ = as_byte_level_bpe(*parts_.model);
  }

  std::int64_t vocab_size() const override { return vocab_size_; }
  std::int64_t eos_id() const override { return eos_id_; }
  std::int64_t unk_id() const override {
    return parts_.unknown ? std::int64_t{*parts_.unknown} : -1;
  }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    const auto found = special_of_.find(token);
    if (found == special_of_.end()) return std::nullopt;
    return found->second;
  }
  Ids special_ids() const override { return special_ids_; }

  void encode(std::string_view text, Ids& ids) const override {
    if (whole_text_ == nullptr) {
      encode_parts(text, ids, nullptr);
    } else if (parts_.prefix_space && !text.empty() && text.front() != ' ') {
      whole_text_->encode_text(*parts_.pattern, " " + std::string(text), ids);
    } else {
      whole_text_->encode_text(*parts_.pattern, text, ids);
    }
  }

  void encode_with_spans(std::string_view text, Ids& ids, Spans& spans) const override {
    encode_parts(text, ids, &spans);
  }

  std::string decode(const Ids& ids) const override {
    std::vector<std::string> tokens;
    tokens.reserve(ids.size());
    for (const std::uint32_t id : ids) {
      if (id >= vocab_size_) {
        fail(ExitCode::kBadData, "tokenizer: id ", id, ", expected 0 to ", vocab_size_ - 1);
      }
      const AddedToken* added = added_.find_id(id);
      if (added == nullptr || !added->special) tokens.push_back(token_text(id));
    }
    if (parts_.decoder != nullptr) parts_.decoder->decode(tokens);
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && parts_.decoder == nullptr) text += ' ';
      text += tokens[i];
    }
    return text;
  }

  std::string to_json() const override { return parts_.json; }

 private:
  std::string token_text(std::uint32_t id) const {
    if (const AddedToken* added = added_.find_id(id)) return added->decoded;
    return std::string(parts_.model->token(id));
  }

  // Cuts out what is ill-formed, or repairs it, and encodes the rest.
  void encode_parts(std::string_view text, Ids& ids, Spans* spans) const {
    if (parts_.bytes && !takes_any_bytes_) {
      encode_around_ill_formed(text, ids, spans);
    } else {
      NormalizedText whole(std::string(text), 0, spans != nullptr);
      if (!parts_.bytes) repair(whole);
      encode_text(std::move(whole), false, ids, spans);
    }
  }

  void encode_around_ill_formed(std::string_view text, Ids& ids, Spans* spans) const {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::string_view rest = text.substr(begin);
      const std::size_t good = find_invalid_utf8(rest).value_or(rest.size());
      if (good > 0) {
        NormalizedText part(std::string(rest.substr(0, good)), begin, spans != nullptr);
        encode_text(std::move(part), false, ids, spans);
      }
      begin += good;
      if (begin == text.size()) break;
      const std::size_t bad = ill_formed_length(text, begin);
      Pieces pieces{NormalizedText(std::string(text.substr(begin, bad)), begin, spans != nullptr)};
      encode_words(pieces, ids, spans);
      begin += bad;
    }
  }

  static void repair(NormalizedText& text) {
    const std::string_view old = text.text();
    if (!find_invalid_utf8(old)) return;
    TextRewriter next(text);
    for (std::size_t begin = 0; begin < old.size();) {
      const std::size_t good = find_invalid_utf8(old.substr(begin)).value_or(old.size() - begin);
      next.keep(begin, begin + good);
      begin += good;
      if (begin == old.size()) break;
      const std::size_t bad = ill_formed_length(old, begin);
      next.put("\uFFFD", begin, begin + bad);
      begin += bad;
    }
    next.finish();
  }

  // Encodes what lies between added tokens: first between those sought before normalization, then,
  // with `normalized`, between the others.
  void encode_text(NormalizedText text, bool normalized, Ids& ids, Spans* spans) const {
    if (normalized && parts_.normalizer != nullptr) parts_.normalizer->normalize(text);
    if (!added_.any(normalized)) return go_on(std::move(text), normalized, ids, spans);
    for (const TextSection& section : added_.sections(text.text(), normalized)) {
      if (section.id) {
        ids.push_back(*section.id);
        if (spans != nullptr) spans->push_back(text.origin(section.begin, section.end));
      } else {
        go_on(text.part(section.begin, section.end), normalized, ids, spans);
      }
    }
  }

  void go_on(NormalizedText text, bool normalized, Ids& ids, Spans* spans) const {
    if (!normalized) return encode_text(std::move(text), true, ids, spans);
    Pieces pieces(std::move(text));
    if (parts_.pre_tokenizer != nullptr) parts_.pre_tokenizer->pre_tokenize(pieces);
    encode_words(pieces, ids, spans);
  }

  void encode_words(const Pieces& pieces, Ids& ids, Spans* spans) const {
    const std::string_view text = pieces.text.text();
    std::vector<WordToken> tokens;
    for (const PieceRange& word : pieces.ranges) {
      const std::string_view word_text = text.substr(word.begin, word.end - word.begin);
      if (spans == nullptr) {
        parts_.model->encode(word_text, ids);
        continue;
      }
      tokens.clear();
      parts_.model->encode_spans(word_text, tokens);
      std::size_t begin = word.begin;
      for (const WordToken& token : tokens) {
        const std::size_t end = word.begin + token.end;
        ids.push_back(token.id);
        // One character may be several tokens (bytes): they share its span.
        spans->push_back(end > begin ? pieces.text.origin(begin, end) : spans->back());
        begin = end;
      }
    }
  }

  PipelineParts parts_;
  AddedTokens added_;
  std::int64_t vocab_size_ = 0;
  std::int64_t eos_id_ = -1;
  Ids special_ids_;
  std::map<std::string, std::uint32_t, std::less<>> special_of_;
  bool takes_any_bytes_ = false;              // the parts before the model do
  const ByteLevelBpe* whole_text_ = nullptr;  // set: encode in one pass
};

}  // namespace

std::unique_ptr<Tokenizer> make_pipeline_tokenizer(PipelineParts parts) {
  return std::make_unique<PipelineTokenizer>(std::move(parts));
}

}  // namespace pretrain
