#include "core/text/tokenizer_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/escape_control.h"

namespace pretrain {
namespace {

using namespace std::string_view_literals;
using Json = nlohmann::json;

// Each is there for something that tokenizers get wrong. Only the last one is ill-formed.
constexpr std::string_view kTexts[] = {
    ""sv,
    " "sv,
    "  two  blanks, a tab\tand \r\n line ends\n\n"sv,
    "In the beginning God created the heaven and the earth."sv,
    "It's we'll I'M THEY'RE 'tis don''t"sv,
    "3.14159 1,000,000 x86_64 \u00b2\u00bd\u2167"sv,
    "d\u00e9j\u00e0 vu de\u0301ja\u0300 \u00c5ngstr\u00f6m \u0130stanbul \ufb01n"sv,
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u03ba\u03cc\u03c3\u03bc\u03b5 \u05e9\u05dc\u05d5\u05dd"sv,
    "\u0645\u0631\u062d\u0628\u0627 \u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a"sv,
    "\u4f60\u597d\uff0c\u4e16\u754c \u3053\u3093\u306b\u3061\u306f \uc548\ub155"sv,
    "\U0001f469\u200d\U0001f4bb \U0001f1ea\U0001f1fa \ufeff\u00a0\u3000\u2028"sv,
    "for (int i = 0; i < n; ++i) { a[i] += *b++; }  // \t\t"sv,
    "<|endoftext|> [MASK] <s> <extra_id_0> ##ing \u2581"sv,
    "nul \0 and \x01\x7f"sv,
    "ill-formed \xff \xc3( \xed\xa0\x80 \xf0\x9f\x91 \xc0\xaf end"sv,
};

std::string part_name(const Json& part) {
  if (!part.is_object()) return "none";
  std::string name = part.value("type", "?");
  for (const char* list : {"normalizers", "pretokenizers", "processors", "decoders"}) {
    if (!part.contains(list)) continue;
    std::string inner;
    for (const Json& each : part[list]) inner += (inner.empty() ? "" : ", ") + part_name(each);
    name += "(" + inner + ")";
  }
  return name;
}

void describe(const Tokenizer& tokenizer, TokenizerReport& report) {
  const Json root = Json::parse(tokenizer.to_json());
  report.model = root.at("model").value("type", "?");
  for (const char* part : {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    report.parts.emplace_back(part, part_name(root.at(part)));
  }
  report.vocab_size = tokenizer.vocab_size();
  report.roles = token_roles(tokenizer);
  report.sha256 = tokenizer.sha256();
  for (const Json& token : root.at("added_tokens")) {
    if (!token.value("special", false)) continue;
    report.specials.emplace_back(token.at("id").get<std::uint32_t>(), token.at("content"));
  }
  std::sort(report.specials.begin(), report.specials.end());
}

// The first broken promise for this text.
std::optional<std::string> problem_of(const Tokenizer& tokenizer, std::string_view text,
                                      const std::vector<std::uint32_t>& ids) {
  const std::vector<std::uint32_t> specials = tokenizer.special_ids();
  for (const std::uint32_t id : ids) {
    if (id >= tokenizer.vocab_size()) return concat("gives id ", id);
    if (id == tokenizer.unk_id()) continue;  // though it counts among the specials
    if (std::binary_search(specials.begin(), specials.end(), id)) {
      return concat("gives the special token ", id);
    }
  }
  std::vector<std::uint32_t> same;
  std::vector<TextSpan> spans;
  tokenizer.encode_with_spans(text, same, spans);
  if (same != ids || spans.size() != ids.size()) return "gives other ids with spans than without";
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const bool inside = spans[i].begin <= spans[i].end && spans[i].end <= text.size();
    if (!inside || (i > 0 && spans[i].begin < spans[i - 1].begin)) {
      return concat("token ", i, " stands for bytes ", spans[i].begin, " to ", spans[i].end);
    }
  }
  return std::nullopt;
}

}  // namespace

TokenizerReport check_tokenizer(const Tokenizer& tokenizer) {
  TokenizerReport report;
  describe(tokenizer, report);
  const auto again = tokenizer_from_json(tokenizer.to_json(), "the file it writes");
  if (again->sha256() != report.sha256) {
    report.problems.push_back("the file it writes is another tokenizer");
  }
  for (const std::string_view text : kTexts) {
    ++report.texts;
    std::vector<std::uint32_t> ids;
    try {
      tokenizer.encode(text, ids);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) throw;
      ++report.refused;
      continue;
    }
    report.tokens += ids.size();
    report.unknown += static_cast<std::size_t>(std::count_if(
        ids.begin(), ids.end(), [&](std::uint32_t id) { return id == tokenizer.unk_id(); }));
    std::optional<std::string> problem = problem_of(tokenizer, text, ids);
    std::vector<std::uint32_t> same;
    again->encode(text, same);
    const std::string decoded = tokenizer.decode(ids);
    if (!problem && (same != ids || again->decode(ids) != decoded)) {
      problem = "gives other ids when the file it writes is read";
    }
    if (problem) {
      report.problems.push_back(concat("\"", escape_control(text), "\" ", *problem));
    }
    if (decoded == text) ++report.returned;
  }
  return report;
}

bool is_lossless(const Tokenizer& tokenizer) {
  return std::all_of(std::begin(kTexts), std::end(kTexts) - 1, [&](std::string_view text) {
    std::vector<std::uint32_t> ids;
    try {
      tokenizer.encode(text, ids);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) throw;
      return true;
    }
    return tokenizer.decode(ids) == text;
  });
}

}  // namespace pretrain
