#include "launch/prompt_text.h"

#include <algorithm>

#include "core/text/opening_token.h"
#include "launch/network.h"

namespace pretrain {
namespace {

constexpr std::size_t kLongestSpecial = 64;

const Tokenizer& readable(const LoadedModel& loaded) {
  if (loaded.tokenizer) return *loaded.tokenizer;
  if (loaded.tokenizer_json.empty()) {
    fail(ExitCode::kBadData, "the checkpoint has no tokenizer, which texts need");
  }
  fail(ExitCode::kBadData, "tokenizer.json of the checkpoint: ", loaded.tokenizer_refusal);
}

}  // namespace

PromptText::PromptText(const LoadedModel& loaded)
    : tokenizer_(readable(loaded)),
      roles_(token_roles(tokenizer_)),
      end_(roles_.eos),
      text_(tokenizer_) {
  const ModelKind kind = loaded.model->kind();
  if (kind == ModelKind::kEncoderDecoder && roles_.sep >= 0) end_ = roles_.sep;
  if (loaded.config.data.wrap == "none") roles_.cls = roles_.sep = -1;
  if (kind != ModelKind::kDecoder) return;
  // Without data.wrap texts begin without it, so only models from elsewhere know it.
  opening_ = loaded.config.data.sources.empty() ? opening_token(tokenizer_)
                                                : opening_of_texts(loaded.config, tokenizer_);
}

std::vector<std::int64_t> PromptText::encode(const std::string& text) const {
  std::vector<std::int64_t> ids;
  std::string plain;
  const auto flush = [&] {
    std::vector<std::uint32_t> part;
    tokenizer_.encode(plain, part);
    ids.insert(ids.end(), part.begin(), part.end());
    plain.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const char close = text[at] == '[' ? ']' : text[at] == '<' ? '>' : '\0';
    const std::size_t end = close == '\0' ? std::string::npos : text.find(close, at);
    if (end != std::string::npos && end - at < kLongestSpecial) {
      if (const auto id = tokenizer_.id_of(text.substr(at, end + 1 - at))) {
        flush();
        ids.push_back(*id);
        at = end + 1;
        continue;
      }
    }
    plain.push_back(text[at++]);
  }
  flush();
  return ids;
}

std::vector<std::int64_t> PromptText::encoder_row(const std::string& text) const {
  std::vector<std::int64_t> row = encode(text);
  if (roles_.cls >= 0) row.insert(row.begin(), roles_.cls);
  if (roles_.sep >= 0) row.push_back(roles_.sep);
  return row;
}

std::vector<std::int64_t> PromptText::decoder_row(const std::string& text) const {
  std::vector<std::int64_t> row = encode(text);
  const bool written = !row.empty() && row.front() == opening_;
  if (opening_ >= 0 && !written) row.insert(row.begin(), opening_);
  return row;
}

bool PromptText::is_plain(const std::string& text, const std::vector<std::int64_t>& ids) const {
  const std::vector<std::uint32_t> special = tokenizer_.special_ids();  // ascending
  const std::vector<std::uint32_t> tokens(ids.begin(), ids.end());
  return std::none_of(tokens.begin(), tokens.end(),
                      [&](std::uint32_t id) {
                        return std::binary_search(special.begin(), special.end(), id);
                      }) &&
         tokenizer_.decode(tokens) == text;
}

std::int64_t PromptText::mask() const {
  if (roles_.mask >= 0) return roles_.mask;
  fail(ExitCode::kBadData,
       "tokenizer.json of the checkpoint: has no mask token ([MASK] or <mask>), which places to "
       "fill "
       "need. Train with a corpus built with --special bert");
}

std::int64_t PromptText::start() const {
  if (roles_.pad >= 0) return roles_.pad;
  fail(ExitCode::kBadData,
       "tokenizer.json of the checkpoint: has no padding token ([PAD] or <pad>), which starts what "
       "an encoder-decoder writes. Train with a corpus built with --special t5");
}

const char* PromptText::mask_text() const {
  return tokenizer_.id_of("[MASK]") ? "[MASK]" : "<mask>";
}

}  // namespace pretrain
