#include "tests/testing/pattern.h"

#include <regex.h>

#include "core/base/error.h"

namespace pretrain {

struct Pattern::Compiled {
  explicit Compiled(const std::string& expression) {
    if (regcomp(&regex, expression.c_str(), REG_EXTENDED) != 0) {
      fail(ExitCode::kInternal, "regular expression ", expression, " is malformed");
    }
  }
  ~Compiled() { regfree(&regex); }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  regex_t regex;
};

Pattern::Pattern(const std::string& expression)
    : compiled_(std::make_shared<const Compiled>(expression)) {}

std::optional<Pattern::Match> Pattern::search(const std::string& text) const {
  std::vector<regmatch_t> parts(compiled_->regex.re_nsub + 1);
  if (regexec(&compiled_->regex, text.c_str(), parts.size(), parts.data(), 0) != 0) {
    return std::nullopt;
  }
  const auto text_of = [&](const regmatch_t& part) {
    return part.rm_so < 0 ? ""
                          : text.substr(static_cast<std::size_t>(part.rm_so),
                                        static_cast<std::size_t>(part.rm_eo - part.rm_so));
  };
  Match match;
  match.begin = static_cast<std::size_t>(parts[0].rm_so);
  match.end = static_cast<std::size_t>(parts[0].rm_eo);
  for (std::size_t i = 1; i < parts.size(); ++i) match.groups.push_back(text_of(parts[i]));
  return match;
}

}  // namespace pretrain
