#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pretrain {

/// A POSIX extended regular expression (with GNU's \b, \s, \w), matched anywhere in a text.
class Pattern {
 public:
  /// Throws Error(kInternal) if the expression is malformed.
  explicit Pattern(const std::string& expression);

  bool found_in(const std::string& text) const { return search(text).has_value(); }

  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;              ///< one past the last character
    std::vector<std::string> groups;  ///< the parts in parentheses; "" where one took no part
  };
  /// The first match.
  std::optional<Match> search(const std::string& text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace pretrain
