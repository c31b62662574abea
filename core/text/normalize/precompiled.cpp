#include <array>
#include <cstddef>

#include "core/text/normalize/charsmap.h"
#include "core/text/normalize/normalizers.h"
#include "core/text/unicode/grapheme.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::size_t kMaxCluster = 5;  // bytes of a cluster that is replaced as a whole
constexpr unsigned kAscii = 128;

class Precompiled : public Normalizer {
 public:
  Precompiled(std::string_view charsmap, const std::string& place) : map_(charsmap, place) {
    for (unsigned byte = 0; byte < kAscii; ++byte) {
      const char text = static_cast<char>(byte);
      stays_[byte] = text != '\r' && !map_.replacement({&text, 1});
    }
  }

  void normalize(NormalizedText& text) const override {
    const std::string& old = text.text();
    TextRewriter next(text);
    std::size_t kept = 0;
    const auto replace = [&](std::size_t begin, std::size_t end) {
      const auto by = map_.replacement(std::string_view(old).substr(begin, end - begin));
      if (!by) return false;
      next.keep(kept, begin);
      put(*by, old, begin, end, next);
      kept = end;
      return true;
    };
    for (std::size_t begin = 0; begin < old.size();) {
      if (is_plain(old, begin)) {
        ++begin;
        continue;
      }
      const std::size_t end = grapheme_end(old, begin);
      if (end - begin > kMaxCluster || !replace(begin, end)) {
        for (std::size_t i = begin; i < end;) {
          const std::size_t part = i;
          next_code_point(old, i);
          replace(part, i);
        }
      }
      begin = end;
    }
    if (kept == 0) return;
    next.keep(kept, old.size());
    next.finish();
  }

 private:
  // An ASCII character without replacement that is a cluster of its own.
  bool is_plain(const std::string& text, std::size_t at) const {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= kAscii || !stays_[byte]) return false;
    return at + 1 == text.size() || static_cast<unsigned char>(text[at + 1]) < kAscii;
  }

  // The i-th code point of the replacement stands for the i-th of what it replaces; further ones
  // for the last.
  static void put(std::string_view by, const std::string& old, std::size_t begin, std::size_t end,
                  TextRewriter& next) {
    std::size_t source_begin = begin;
    std::size_t source_end = begin;
    for (std::size_t i = 0; i < by.size();) {
      const std::size_t part = i;
      next_code_point(by, i);
      if (source_end < end) {
        source_begin = source_end;
        next_code_point(old, source_end);
      }
      next.put(by.substr(part, i - part), source_begin, source_end);
    }
  }

  Charsmap map_;
  std::array<bool, kAscii> stays_{};
};

}  // namespace

std::unique_ptr<Normalizer> make_precompiled(std::string_view charsmap, const std::string& place) {
  return std::make_unique<Precompiled>(charsmap, place);
}

}  // namespace pretrain
