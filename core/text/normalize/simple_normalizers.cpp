#include <utility>

#include "core/base/error.h"
#include "core/text/normalize/normalizers.h"
#include "core/text/unicode/character_set.h"
#include "core/text/unicode/general_category.h"
#include "core/text/unicode/lower_case.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

bool is_ascii(char byte) { return (static_cast<unsigned char>(byte) & 0x80) == 0; }

class Lowercase : public Normalizer {
 public:
  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    TextRewriter next(text);
    std::size_t kept = 0;
    std::string lower;
    for (std::size_t end = 0; end < old.size();) {
      const std::size_t begin = end;
      if (is_ascii(old[begin]) && (old[begin] < 'A' || old[begin] > 'Z')) {
        ++end;
        continue;
      }
      lower.clear();
      append_lower_case(next_code_point(old, end), lower);
      if (old.compare(begin, end - begin, lower) == 0) continue;
      next.keep(kept, begin);
      next.put(lower, begin, end);
      kept = end;
    }
    if (kept == 0) return;
    next.keep(kept, old.size());
    next.finish();
  }
};

class StripAccents : public Normalizer {
 public:
  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    TextRewriter next(text);
    std::size_t kept = 0;
    for (std::size_t end = 0; end < old.size();) {
      const std::size_t begin = end;
      if (!is_in(CharacterSet::kAccents, next_code_point(old, end))) continue;
      next.keep(kept, begin);
      kept = end;
    }
    if (kept == 0) return;
    next.keep(kept, old.size());
    next.finish();
  }
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    std::size_t first = std::string::npos;  // of what is no white space
    std::size_t last_end = 0;
    for (std::size_t end = 0; end < old.size();) {
      const std::size_t begin = end;
      if (is_white_space(next_code_point(old, end))) continue;
      if (first == std::string::npos) first = begin;
      last_end = end;
    }
    if (first == std::string::npos) first = left_ ? old.size() : 0;
    text.keep_only(left_ ? first : 0, right_ ? std::max(left_ ? first : 0, last_end) : old.size());
  }

 private:
  bool left_;
  bool right_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void normalize(NormalizedText& text) const override { text.prepend(prefix_); }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(std::string pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {
    for (std::size_t end = 0; end < pattern_.size();) {
      last_begin_ = end;
      next_code_point(pattern_, end);
    }
  }

  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    std::size_t found = old.find(pattern_);
    if (found == std::string::npos) return;
    TextRewriter next(text);
    std::size_t kept = 0;
    for (; found != std::string::npos; found = old.find(pattern_, kept)) {
      next.keep(kept, found);
      kept = found + pattern_.size();
      next.put(content_, found + last_begin_, kept);
    }
    next.keep(kept, old.size());
    next.finish();
  }

 private:
  std::string pattern_;
  std::string content_;
  std::size_t last_begin_ = 0;  // of the pattern's last code point, which the content stands for
};

class ReplaceRuns : public Normalizer {
 public:
  ReplaceRuns(std::string character, std::size_t at_least, std::string content)
      : character_(std::move(character)), content_(std::move(content)) {
    for (std::size_t i = 0; i < at_least; ++i) shortest_ += character_;
  }

  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    std::size_t found = old.find(shortest_);
    if (found == std::string::npos) return;
    TextRewriter next(text);
    std::size_t kept = 0;
    for (; found != std::string::npos; found = old.find(shortest_, kept)) {
      next.keep(kept, found);
      kept = found + shortest_.size();
      while (old.compare(kept, character_.size(), character_) == 0) kept += character_.size();
      next.put(content_, kept - character_.size(), kept);
    }
    next.keep(kept, old.size());
    next.finish();
  }

 private:
  std::string character_;
  std::string content_;
  std::string shortest_;  // run that is replaced
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> parts)
      : parts_(std::move(parts)) {}
  void normalize(NormalizedText& text) const override {
    for (const auto& part : parts_) part->normalize(text);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

}  // namespace

std::unique_ptr<Normalizer> make_lowercase() { return std::make_unique<Lowercase>(); }
std::unique_ptr<Normalizer> make_strip_accents() { return std::make_unique<StripAccents>(); }
std::unique_ptr<Normalizer> make_strip(bool left, bool right) {
  return std::make_unique<Strip>(left, right);
}
std::unique_ptr<Normalizer> make_prepend(std::string prefix) {
  return std::make_unique<Prepend>(std::move(prefix));
}
std::unique_ptr<Normalizer> make_replace(std::string pattern, std::string content,
                                         const std::string& place) {
  if (pattern.empty()) fail(ExitCode::kBadData, place, ": Replace with an empty pattern");
  return std::make_unique<Replace>(std::move(pattern), std::move(content));
}
std::unique_ptr<Normalizer> make_replace_runs(std::string character, std::size_t at_least,
                                              std::string content) {
  return std::make_unique<ReplaceRuns>(std::move(character), at_least, std::move(content));
}
std::unique_ptr<Normalizer> make_normalizer_sequence(
    std::vector<std::unique_ptr<Normalizer>> parts) {
  return std::make_unique<NormalizerSequence>(std::move(parts));
}

}  // namespace pretrain
