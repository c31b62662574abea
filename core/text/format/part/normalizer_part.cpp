#include <openssl/evp.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/text/format/part/part_reader.h"
#include "core/text/format/part/parts.h"
#include "core/text/normalize/normalizers.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

std::string from_base64(PartReader& part, std::string_view key) {
  const std::string text = part.text(key);
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (text.size() % 4 != 0 || length < 0 || static_cast<std::size_t>(length) != bytes.size()) {
    part.fail_at(key, "is no base64 text");
  }
  // The library counts the bytes that padding stands for.
  for (std::size_t n = text.size(); n > 0 && text[n - 1] == '=' && text.size() - n < 2; --n) {
    bytes.pop_back();
  }
  return bytes;
}

NormalizerPart read(const JsonValue& value, const std::string& place);

std::unique_ptr<Normalizer> read_sequence(PartReader& part) {
  std::vector<std::unique_ptr<Normalizer>> objects;
  JsonValue::Array canonical;
  for (const JsonValue& item : part.list("normalizers")) {
    NormalizerPart inner = read(item, part.place());
    objects.push_back(std::move(inner.object));
    canonical.push_back(std::move(inner.json));
  }
  part.note("normalizers", {std::move(canonical)});
  return make_normalizer_sequence(std::move(objects));
}

std::unique_ptr<Normalizer> read_bert(PartReader& part) {
  BertNormalizerOptions options;
  options.clean_text = part.flag("clean_text", true);
  options.handle_chinese_chars = part.flag("handle_chinese_chars", true);
  options.strip_accents = part.flag_or_null("strip_accents");
  options.lowercase = part.flag("lowercase", true);
  return make_bert_normalizer(options);
}

struct CharacterRun {
  std::string character;
  std::size_t at_least = 0;
};

// A regular expression that is one character, with no meaning of its own, and {N,}.
std::optional<CharacterRun> run_of(const std::string& regex) {
  constexpr std::size_t kLongest = 1000;
  std::size_t end = 0;
  if (regex.empty() ||
      std::string_view("\\^$.|?*+()[]{}").find(regex[0]) != std::string_view::npos) {
    return std::nullopt;
  }
  next_code_point(regex, end);
  CharacterRun run{regex.substr(0, end), 0};
  if (end == regex.size() || regex[end] != '{') return std::nullopt;
  const char* const last = regex.data() + regex.size();
  const auto [stop, error] = std::from_chars(regex.data() + end + 1, last, run.at_least);
  if (error != std::errc() || std::string_view(stop, last) != ",}") return std::nullopt;
  if (run.at_least < 1 || run.at_least > kLongest) return std::nullopt;
  return run;
}

std::unique_ptr<Normalizer> read_replace(PartReader& part) {
  const JsonValue* pattern = part.raw("pattern");
  if (pattern == nullptr) part.fail_at("pattern", "is missing");
  part.note("pattern", *pattern);
  PartReader form(*pattern, "normalizer.pattern", part.place());
  const bool literal = form.raw("String") != nullptr;
  const std::string text = form.text(literal ? "String" : "Regex");
  form.finish();
  const std::string content = part.text("content");
  if (literal) return make_replace(text, content, part.place());
  const auto run = run_of(text);
  if (!run) part.refuse("pattern");
  return make_replace_runs(run->character, run->at_least, content);
}

NormalizerPart read(const JsonValue& value, const std::string& place) {
  PartReader part(value, "normalizer", place);
  const std::string& type = part.type();
  NormalizerPart normalizer;
  auto& object = normalizer.object;
  if (type == "NFC") {
    object = make_unicode_form(NormalizationForm::kNfc);
  } else if (type == "NFD") {
    object = make_unicode_form(NormalizationForm::kNfd);
  } else if (type == "NFKC") {
    object = make_unicode_form(NormalizationForm::kNfkc);
  } else if (type == "NFKD") {
    object = make_unicode_form(NormalizationForm::kNfkd);
  } else if (type == "Lowercase") {
    object = make_lowercase();
  } else if (type == "StripAccents") {
    object = make_strip_accents();
  } else if (type == "Strip") {
    const bool left = part.flag("strip_left", true);
    object = make_strip(left, part.flag("strip_right", true));
  } else if (type == "BertNormalizer") {
    object = read_bert(part);
  } else if (type == "Prepend") {
    object = make_prepend(part.text("prepend"));
  } else if (type == "Replace") {
    object = read_replace(part);
  } else if (type == "Precompiled") {
    object = make_precompiled(from_base64(part, "precompiled_charsmap"), place);
  } else if (type == "Sequence") {
    object = read_sequence(part);
  } else {
    part.refuse_type();
  }
  normalizer.json = part.finish();
  return normalizer;
}

}  // namespace

NormalizerPart read_normalizer(const JsonValue& value, const std::string& place) {
  if (std::holds_alternative<std::nullptr_t>(value.data)) return {};
  return read(value, place);
}

}  // namespace pretrain
