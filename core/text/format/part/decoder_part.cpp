#include <utility>

#include "core/base/error.h"
#include "core/text/format/part/part_reader.h"
#include "core/text/format/part/parts.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

std::string read_character(PartReader& part, std::string_view key,
                           const std::optional<std::string>& absent) {
  const std::string text = part.text(key, absent);
  std::size_t offset = 0;
  if (!text.empty()) next_code_point(text, offset);
  if (text.empty() || offset != text.size()) {
    part.fail_at(key, "is " + shown_json({text}) + ", expected one character");
  }
  return text;
}

DecoderPart read(const JsonValue& value, const std::string& place);

std::unique_ptr<TokenDecoder> read_sequence(PartReader& part) {
  std::vector<std::unique_ptr<TokenDecoder>> objects;
  JsonValue::Array canonical;
  for (const JsonValue& item : part.list("decoders")) {
    DecoderPart inner = read(item, part.place());
    objects.push_back(std::move(inner.object));
    canonical.push_back(std::move(inner.json));
  }
  part.note("decoders", {std::move(canonical)});
  return make_decoder_sequence(std::move(objects));
}

std::unique_ptr<TokenDecoder> read_metaspace(PartReader& part) {
  const std::string mark = read_character(part, "replacement", "\u2581");
  const bool old_form = part.raw("add_prefix_space") != nullptr;
  const bool prefix = old_form ? PartReader(part).flag("add_prefix_space") : true;
  const std::size_t scheme =
      part.choice("prepend_scheme", {"always", "never", "first"}, prefix ? "always" : "never");
  if (!prefix && scheme != 1) part.refuse("add_prefix_space");
  part.flag("split", true);
  return make_metaspace_decoder(mark, scheme != 1);
}

std::unique_ptr<TokenDecoder> read_replace(PartReader& part) {
  const JsonValue* pattern = part.raw("pattern");
  if (pattern == nullptr) part.fail_at("pattern", "is missing");
  part.note("pattern", *pattern);
  PartReader form(*pattern, "decoder.pattern", part.place());
  const std::string text = form.text("String");
  form.finish();
  if (text.empty()) part.refuse("pattern");
  return make_replace_decoder(text, part.text("content"));
}

DecoderPart read(const JsonValue& value, const std::string& place) {
  PartReader part(value, "decoder", place);
  const std::string& type = part.type();
  DecoderPart decoder;
  if (type == "ByteLevel") {
    part.flag("add_prefix_space", true);
    part.flag("trim_offsets", true);
    part.flag("use_regex", true);
    decoder.object = make_byte_level_decoder();
  } else if (type == "WordPiece") {
    const std::string prefix = part.text("prefix", "##");
    decoder.object = make_word_piece_decoder(prefix, part.flag("cleanup", true));
  } else if (type == "Metaspace") {
    decoder.object = read_metaspace(part);
  } else if (type == "BPEDecoder") {
    const std::string suffix = part.text("suffix", "</w>");
    if (suffix.empty()) part.refuse("suffix");
    decoder.object = make_bpe_decoder(suffix);
  } else if (type == "ByteFallback") {
    decoder.object = make_byte_fallback_decoder();
  } else if (type == "Fuse") {
    decoder.object = make_fuse_decoder();
  } else if (type == "Strip") {
    const std::string character = read_character(part, "content", {});
    const std::uint64_t start = part.whole("start");
    decoder.object = make_strip_decoder(character, start, part.whole("stop"));
  } else if (type == "Replace") {
    decoder.object = read_replace(part);
  } else if (type == "Sequence") {
    decoder.object = read_sequence(part);
  } else {
    part.refuse_type();
  }
  decoder.json = part.finish();
  return decoder;
}

}  // namespace

DecoderPart read_decoder(const JsonValue& value, const std::string& place) {
  if (std::holds_alternative<std::nullptr_t>(value.data)) return {};
  return read(value, place);
}

}  // namespace pretrain
