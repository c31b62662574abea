#include "core/text/special_vocabulary.h"

#include <algorithm>
#include <charconv>

#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

struct Preset {
  std::string_view name;
  std::string_view list;
};

constexpr Preset kPresets[] = {
    {"bert", "[PAD],[CLS],[SEP],[MASK]"},
    {"t5", "<pad>,</s>,<extra_id_0..99>"},
    {"fim", "<|fim_prefix|>,<|fim_middle|>,<|fim_suffix|>"},
};

constexpr std::string_view kDots = "..";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void add_token(std::string text, std::vector<std::string>& texts) {
  if (texts.size() == kMaxSpecialTokens) {
    fail(ExitCode::kUsage, "--special: more than ", kMaxSpecialTokens,
         " tokens. Shorten the list or its ranges");
  }
  texts.push_back(std::move(text));
}

std::uint64_t range_end(std::string_view digits, std::string_view item) {
  std::uint64_t number = 0;
  const auto end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  const bool canonical = digits.size() == 1 || digits[0] != '0';
  if (error != std::errc() || stop != end || !canonical) {
    fail(ExitCode::kUsage, "--special: ", item, ": expected numbers like <extra_id_0..99>, got ",
         digits, ". Write it without leading zeros, below 2^64");
  }
  return number;
}

// Position of the dots of the first range from `start` on, npos: none. Dots are a range between
// digits only, so that other texts may hold dots.
std::size_t find_range(std::string_view item, std::size_t start) {
  std::size_t dots = item.find(kDots, start);
  while (dots != std::string_view::npos) {
    const std::size_t right = dots + kDots.size();
    if (dots > 0 && is_digit(item[dots - 1]) && right < item.size() && is_digit(item[right])) break;
    dots = item.find(kDots, dots + 1);
  }
  return dots;
}

// Adds what one item between commas that is no preset stands for.
void add_item(std::string_view item, std::vector<std::string>& texts) {
  const std::size_t dots = find_range(item, 0);
  if (dots == std::string_view::npos) return add_token(std::string(item), texts);
  std::size_t begin = dots;
  while (begin > 0 && is_digit(item[begin - 1])) --begin;
  std::size_t end = dots + kDots.size();
  while (end < item.size() && is_digit(item[end])) ++end;
  if (find_range(item, dots + 1) != std::string_view::npos) {
    fail(ExitCode::kUsage, "--special: ", item, ": expected one range in a token. Write several");
  }
  const std::uint64_t first = range_end(item.substr(begin, dots - begin), item);
  const std::uint64_t last =
      range_end(item.substr(dots + kDots.size(), end - dots - kDots.size()), item);
  if (first > last) {
    fail(ExitCode::kUsage, "--special: ", item, ": expected a range that rises, got ", first,
         " to ", last, ". Write ", last, "..", first);
  }
  for (std::uint64_t number = first;; ++number) {
    add_token(concat(item.substr(0, begin), number, item.substr(end)), texts);
    if (number == last) break;
  }
}

void add_list(std::string_view list, std::vector<std::string>& texts) {
  std::size_t number = 0;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view item = list.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (item.empty()) {
      fail(ExitCode::kUsage, "--special: token ", number,
           " is empty, expected texts between commas. Remove a comma or write the token");
    }
    if (is_blank(item.front()) || is_blank(item.back())) {
      fail(ExitCode::kUsage, "--special: token ", number, " \"", item,
           "\" has a blank at its edge. Write the list without blanks");
    }
    const auto preset = std::find_if(std::begin(kPresets), std::end(kPresets),
                                     [&](const Preset& p) { return p.name == item; });
    if (preset != std::end(kPresets)) {
      add_list(preset->list, texts);
    } else {
      add_item(item, texts);
    }
  }
}

}  // namespace

SpecialVocabulary::SpecialVocabulary(std::uint32_t first_id, bool with_eos,
                                     const std::vector<std::string>& others,
                                     const std::function<bool(const std::string&)>& is_ordinary)
    : first_id_(first_id) {
  const auto add = [&](const std::string& text) {
    const auto id = first_id_ + static_cast<std::uint32_t>(texts_.size());
    if (!id_of_.emplace(text, id).second) {
      fail(ExitCode::kUsage, "special token ", text, ": is given twice. Keep one");
    }
    texts_.push_back(text);
  };
  if (with_eos) {
    eos_id_ = first_id_;
    add(kEndOfText);
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    const std::string& text = others[i];
    if (text.empty()) {
      fail(ExitCode::kUsage, "special token ", i + 1, " of ", others.size(),
           ": is empty, expected a text. Leave it out");
    }
    if (const auto bad = find_invalid_utf8(text)) {
      fail(ExitCode::kUsage, "special token ", i + 1, " of ", others.size(), ": byte ", *bad,
           " is not valid UTF-8. Write it in UTF-8");
    }
    if (text == kEndOfText) {
      fail(
          ExitCode::kUsage, "special token ", text,
          ": closes documents, and its id comes before all others. Leave it out: byte has it, char "
          "unless --no-eos");
    }
    if (is_ordinary(text)) {
      fail(ExitCode::kUsage, "special token ", text,
           ": is an ordinary symbol of the vocabulary, expected another text. Write it as <", text,
           ">");
    }
    add(text);
  }
}

std::int64_t SpecialVocabulary::vocab_size() const {
  return static_cast<std::int64_t>(first_id_) + static_cast<std::int64_t>(texts_.size());
}

std::optional<std::uint32_t> SpecialVocabulary::id_of(std::string_view text) const {
  const auto found = id_of_.find(text);
  if (found == id_of_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::uint32_t> SpecialVocabulary::ids() const {
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    ids.push_back(first_id_ + static_cast<std::uint32_t>(i));
  }
  return ids;
}

std::vector<std::string> parse_special_tokens(std::string_view list) {
  std::vector<std::string> texts;
  add_list(list, texts);
  return texts;
}

}  // namespace pretrain
