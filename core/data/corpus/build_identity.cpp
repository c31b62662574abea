#include "core/data/corpus/build_identity.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::size_t kShownDigits = 12;

std::string tokenizer_in_words(const BuildOptions& options, const std::string& sha256) {
  std::string special;
  for (const std::string& token : options.specials) special += (special.empty() ? "" : ",") + token;
  return concat(options.tokenizer, special.empty() ? "" : " with --special " + special, " (sha256 ",
                sha256.substr(0, kShownDigits), ")");
}

// 0 stands for an option that is not given.
template <class T>
BuildIdentity::Choice number(const char* option, T value) {
  return {option, concat(value), value > 0 ? concat(value) : ""};
}

std::string or_not_given(const std::string& shown) { return shown.empty() ? "not given" : shown; }

}  // namespace

BuildIdentity build_identity(const BuildOptions& options, double valid_fraction,
                             const CorpusHeader& header, std::vector<InputIdentity> inputs,
                             std::size_t validation_files) {
  constexpr const char* kPolicies[] = {"error", "replace", "skip"};
  const auto text = [](const char* option, const std::string& value) {
    return BuildIdentity::Choice{option, value, value};
  };
  const std::string eos = concat(header.eos_id);
  const std::string files = concat(validation_files);
  return {{{"--tokenizer", header.tokenizer_sha256,
            tokenizer_in_words(options, header.tokenizer_sha256)},
           {"end of documents", eos, header.eos_id < 0 ? "--no-eos" : "--eos"},
           text("--format", options.format.format),
           text("--doc-sep", options.format.doc_sep),
           text("--field", options.format.field),
           text("--invalid", kPolicies[static_cast<int>(options.format.invalid)]),
           {"--valid", files,
            validation_files == 0 ? "" : files + (validation_files == 1 ? " file" : " files")},
           {"--valid-fraction", concat(valid_fraction), concat(valid_fraction)},
           text("--quality", quality_rule_names(options.quality)),
           number("--min-chars", options.quality.min_chars),
           number("--max-chars", options.quality.max_chars),
           {"--dedup", options.duplicates.exact ? "exact" : "",
            options.duplicates.exact ? "given" : ""},
           number("--near-duplicates", options.duplicates.near),
           number("--shard-tokens", options.shard_tokens),
           text("the program", header.created_by)},
          std::move(inputs)};
}

std::string difference(const std::vector<BuildIdentity::Choice>& before,
                       const std::vector<BuildIdentity::Choice>& now) {
  for (const BuildIdentity::Choice& choice : now) {
    const auto same = [&](const BuildIdentity::Choice& other) {
      return other.option == choice.option;
    };
    const auto then = std::find_if(before.begin(), before.end(), same);
    if (then != before.end() && then->value == choice.value) continue;
    return concat(choice.option, " was ",
                  or_not_given(then == before.end() ? std::string() : then->shown), ", is ",
                  or_not_given(choice.shown));
  }
  return {};
}

}  // namespace pretrain
