#include <utility>

#include "core/base/error.h"
#include "core/text/format/part/part_reader.h"
#include "core/text/format/part/parts.h"
#include "core/text/pipeline/pre_tokenizers.h"
#include "core/text/pipeline/split_pre_tokenizer.h"
#include "core/text/unicode/character_class.h"
#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

using Parts = std::vector<std::unique_ptr<PreTokenizer>>;

// Joins the parts below one value, however nested, to one list.
class Reader {
 public:
  Reader(bool byte_model, std::string place) : byte_model_(byte_model), place_(std::move(place)) {}

  // `last`: nothing follows it.
  JsonValue read(const JsonValue& value, bool last) {
    PartReader part(value, "pre_tokenizer", place_);
    const std::string& type = part.type();
    if (type == "Sequence") return read_sequence(part, last);
    if (type == "ByteLevel") {
      read_byte_level(part, last);
    } else if (type == "BertPreTokenizer") {
      add(make_bert_pre_tokenizer());
    } else if (type == "Metaspace") {
      read_metaspace(part);
    } else if (type == "Whitespace") {
      add(make_split(match_words_and_marks(), SplitBehavior::kRemoved, true));
    } else if (type == "WhitespaceSplit") {
      add(make_split(match_characters(is_white_space, true), SplitBehavior::kRemoved, false));
    } else if (type == "Punctuation") {
      const SplitBehavior behavior = read_behavior(part, "Isolated");
      add(make_split(match_characters(is_punctuation_8, false), behavior, false));
    } else if (type == "Digits") {
      const bool individual = part.flag("individual_digits", false);
      add(make_split(match_characters(is_number_17, false),
                     individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous, false));
    } else if (type == "Split") {
      read_split(part);
    } else {
      part.refuse_type();
    }
    return part.finish();
  }

  PreTokenizerPart take(JsonValue json) {
    PreTokenizerPart part;
    part.json = std::move(json);
    part.bytes = bytes_;
    part.pattern = text_pattern_;
    part.prefix_space = prefix_space_;
    part.object = parts_.size() == 1 ? std::move(parts_.front())
                                     : make_pre_tokenizer_sequence(std::move(parts_));
    return part;
  }

 private:
  void add(std::unique_ptr<PreTokenizer> part) { parts_.push_back(std::move(part)); }

  JsonValue read_sequence(PartReader& part, bool last) {
    const JsonValue::Array& items = part.list("pretokenizers");
    JsonValue::Array canonical;
    for (std::size_t i = 0; i < items.size(); ++i) {
      canonical.push_back(read(items[i], last && i + 1 == items.size()));
    }
    part.note("pretokenizers", {std::move(canonical)});
    return part.finish();
  }

  void read_byte_level(PartReader& part, bool last) {
    const bool prefix = part.flag("add_prefix_space", true);
    part.flag("trim_offsets", true);
    const bool regex = part.flag("use_regex", true);
    bytes_ = byte_model_ && last;
    if (bytes_ && regex && parts_.empty()) {
      text_pattern_ = kGpt2Pattern;
      prefix_space_ = prefix;
    } else if (bytes_ && !regex && !prefix && parts_.size() == 1) {
      text_pattern_ = split_pattern_;
    }
    add(make_byte_level(prefix, regex ? match_pattern(kGpt2Pattern) : nullptr, !bytes_));
  }

  void read_metaspace(PartReader& part) {
    const std::string mark = part.text("replacement", "\u2581");
    std::size_t offset = 0;
    if (!mark.empty()) next_code_point(mark, offset);
    if (mark.empty() || offset != mark.size()) {
      part.fail_at("replacement", "is " + shown_json({mark}) + ", expected one character");
    }
    const bool old_form = part.raw("add_prefix_space") != nullptr;
    const bool prefix = old_form ? PartReader(part).flag("add_prefix_space") : true;
    const std::size_t scheme = part.choice("prepend_scheme", {"always", "never", "first"},
                                           old_form && !prefix ? "never" : "always");
    if (old_form && !prefix && scheme != 1) part.refuse("add_prefix_space");
    const bool split = part.flag("split", true);
    constexpr PrependScheme kSchemes[] = {PrependScheme::kAlways, PrependScheme::kNever,
                                          PrependScheme::kFirst};
    add(make_metaspace(mark, kSchemes[scheme], split));
  }

  static SplitBehavior read_behavior(PartReader& part, const std::optional<std::string>& absent) {
    constexpr SplitBehavior kBehaviors[] = {
        SplitBehavior::kRemoved, SplitBehavior::kIsolated, SplitBehavior::kMergedWithPrevious,
        SplitBehavior::kMergedWithNext, SplitBehavior::kContiguous};
    return kBehaviors[part.choice(
        "behavior", {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"},
        absent)];
  }

  void read_split(PartReader& part) {
    const JsonValue* pattern = part.raw("pattern");
    if (pattern == nullptr) part.fail_at("pattern", "is missing");
    part.note("pattern", *pattern);
    PartReader form(*pattern, "pre_tokenizer.pattern", place_);
    const bool literal = form.raw("String") != nullptr;
    const std::string text = form.text(literal ? "String" : "Regex");
    form.finish();
    const SplitBehavior behavior = read_behavior(part, {});
    const bool invert = part.flag("invert", false);
    std::unique_ptr<WordMatcher> matcher;
    if (literal) {
      if (text.empty()) part.refuse("pattern");
      matcher = match_literal(text);
    } else if (const auto known = find_split_pattern(text)) {
      matcher = match_pattern(*known);
      const bool all_isolated =
          behavior == SplitBehavior::kIsolated || (behavior == SplitBehavior::kRemoved && invert);
      if (all_isolated && parts_.empty()) split_pattern_ = known;
    } else {
      matcher = match_class(text);
      if (matcher == nullptr) part.refuse("pattern");
    }
    add(make_split(std::move(matcher), behavior, invert));
  }

  // Simple patterns of one class of characters.
  static std::unique_ptr<WordMatcher> match_class(const std::string& regex) {
    if (regex == "\\s") return match_characters(is_white_space, false);
    if (regex == "\\s+") return match_characters(is_white_space, true);
    if (regex == "\\p{N}") return match_characters(is_number, false);
    if (regex == "\\p{N}+") return match_characters(is_number, true);
    if (regex == "\\p{P}") return match_characters(is_punctuation, false);
    if (regex == "\\w+|[^\\w\\s]+") return match_words_and_marks();
    return nullptr;
  }

  bool byte_model_;
  std::string place_;
  Parts parts_;
  bool bytes_ = false;
  bool prefix_space_ = false;
  std::optional<SplitPattern> split_pattern_;  // the first part does nothing but cut by it
  std::optional<SplitPattern> text_pattern_;
};

}  // namespace

PreTokenizerPart read_pre_tokenizer(const JsonValue& value, bool byte_model,
                                    const std::string& place) {
  if (std::holds_alternative<std::nullptr_t>(value.data)) return {};
  Reader reader(byte_model, place);
  JsonValue json = reader.read(value, true);
  return reader.take(std::move(json));
}

}  // namespace pretrain
