#include "core/text/unicode/normalization.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "core/base/error.h"
#include "core/text/unicode/character_set.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::size_t kMaxDecomposition = 32;  // Unicode's longest is 18
constexpr std::uint32_t kFirstSyllable = 0xAC00;
constexpr std::uint32_t kLastSyllable = 0xD7A3;
constexpr std::uint32_t kFirstLead = 0x1100;
constexpr std::uint32_t kFirstVowel = 0x1161;
constexpr std::uint32_t kFirstTail = 0x11A7;  // stands for "no tail"
constexpr std::uint32_t kLeads = 19;
constexpr std::uint32_t kVowels = 21;
constexpr std::uint32_t kTails = 28;

using CodePoints = std::array<utf8proc_int32_t, kMaxDecomposition>;

bool is_composing(NormalizationForm form) {
  return form == NormalizationForm::kNfc || form == NormalizationForm::kNfkc;
}
bool is_compatible(NormalizationForm form) {
  return form == NormalizationForm::kNfkc || form == NormalizationForm::kNfkd;
}

int combining_class(std::uint32_t code_point) {
  if (is_in(CharacterSet::kNewerThanForms, code_point)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->combining_class;
}

// Number of code points written: the full decomposition, in canonical order.
std::size_t decompose(std::uint32_t code_point, bool compatible, CodePoints& out) {
  out[0] = static_cast<utf8proc_int32_t>(code_point);
  if (is_in(CharacterSet::kNewerThanForms, code_point)) return 1;
  const int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  int last_bound_class = 0;
  const utf8proc_ssize_t size = utf8proc_decompose_char(
      out[0], out.data(), out.size(), static_cast<utf8proc_option_t>(options), &last_bound_class);
  if (size < 0 || static_cast<std::size_t>(size) > out.size()) {
    fail(ExitCode::kInternal, "utf8proc cannot decompose code point ", code_point);
  }
  return static_cast<std::size_t>(size);
}

// What all code points do, worked out once from utf8proc, which has no function for pairs.
class FormData {
 public:
  FormData() : kinds_(kMaxCodePoint + 1) {
    for (std::uint32_t c = 0x80; c <= kMaxCodePoint; ++c) {
      if (c >= 0xD800 && c <= 0xDFFF) continue;
      if (combining_class(c) != 0) kinds_[c] |= kReorders;
      CodePoints compatible{};
      CodePoints canonical{};
      const std::size_t compatible_size = decompose(c, true, compatible);
      const std::size_t size = decompose(c, false, canonical);
      if (compatible_size == 1 && compatible[0] == static_cast<utf8proc_int32_t>(c)) continue;
      kinds_[c] |= kChangesNfkd;
      const bool is_composite = add_composite(c, canonical, size);
      if (!is_composite || compatible != canonical) kinds_[c] |= kChangesNfkc;
      if (size == 1 && canonical[0] == static_cast<utf8proc_int32_t>(c)) continue;
      kinds_[c] |= kChangesNfd;
      if (!is_composite) kinds_[c] |= kChangesNfc;
    }
    for (std::uint32_t c = kFirstVowel; c < kFirstVowel + kVowels; ++c) kinds_[c] |= kComposes;
    for (std::uint32_t c = kFirstTail + 1; c < kFirstTail + kTails; ++c) kinds_[c] |= kComposes;
  }

  bool is_inert(NormalizationForm form, std::uint32_t code_point) const {
    unsigned changing = kReorders;
    switch (form) {
      case NormalizationForm::kNfc:
        changing |= kComposes | kChangesNfc;
        break;
      case NormalizationForm::kNfd:
        changing |= kChangesNfd;
        break;
      case NormalizationForm::kNfkc:
        changing |= kComposes | kChangesNfkc;
        break;
      case NormalizationForm::kNfkd:
        changing |= kChangesNfkd;
        break;
    }
    return (kinds_[code_point] & changing) == 0;
  }

  // The primary composite of two code points, 0 if there is none.
  std::uint32_t compose(std::uint32_t first, std::uint32_t second) const {
    if (first - kFirstLead < kLeads && second - kFirstVowel < kVowels) {
      return kFirstSyllable + ((first - kFirstLead) * kVowels + (second - kFirstVowel)) * kTails;
    }
    if (first - kFirstSyllable <= kLastSyllable - kFirstSyllable &&
        (first - kFirstSyllable) % kTails == 0 && second - kFirstTail - 1 < kTails - 1) {
      return first + (second - kFirstTail);
    }
    const auto found = composites_.find(pair(first, second));
    return found == composites_.end() ? 0 : found->second;
  }

 private:
  enum Kind : unsigned char {
    kReorders = 1,
    kComposes = 2,  // with what stands before it
    kChangesNfc = 4,
    kChangesNfd = 8,
    kChangesNfkc = 16,
    kChangesNfkd = 32,
  };

  static std::uint64_t pair(std::uint32_t first, std::uint32_t second) {
    return (std::uint64_t{first} << 32) | second;
  }

  // Whether `c` is a primary composite: composing its parts gives it back. Its pair is then what
  // all but the last part compose to, and the last.
  bool add_composite(std::uint32_t c, CodePoints parts, std::size_t size) {
    if (c >= kFirstSyllable && c <= kLastSyllable) return true;
    if (size < 2) return false;
    const auto last = static_cast<std::uint32_t>(parts[size - 1]);
    constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    CodePoints whole = parts;
    const auto length = static_cast<utf8proc_ssize_t>(size);
    if (utf8proc_normalize_utf32(whole.data(), length, kOptions) != 1 ||
        whole[0] != static_cast<utf8proc_int32_t>(c) ||
        utf8proc_normalize_utf32(parts.data(), length - 1, kOptions) != 1) {
      return false;
    }
    composites_[pair(static_cast<std::uint32_t>(parts[0]), last)] = c;
    kinds_[last] |= kComposes;
    return true;
  }

  std::vector<unsigned char> kinds_;
  std::unordered_map<std::uint64_t, std::uint32_t> composites_;
};

const FormData& form_data() {
  static const FormData kData;
  return kData;
}

struct Part {
  FormCodePoint value;
  int combining_class;
};

// Canonical order: marks behind a starter by class, stable.
void reorder(std::vector<Part>& parts) {
  for (auto begin = parts.begin(); begin != parts.end();) {
    const auto is_starter = [](const Part& part) { return part.combining_class == 0; };
    const auto end = std::find_if(begin, parts.end(), is_starter);
    std::stable_sort(begin, end, [](const Part& a, const Part& b) {
      return a.combining_class < b.combining_class;
    });
    begin = end == parts.end() ? end : end + 1;
  }
}

// Composes in place: each part with the last starter unless one between them blocks it.
void compose(std::vector<Part>& parts) {
  constexpr std::size_t kNone = SIZE_MAX;
  std::size_t starter = kNone;
  std::size_t size = 0;
  for (const Part part : parts) {
    const bool adjacent = starter != kNone && starter + 1 == size;
    const bool open =
        adjacent || (starter != kNone && parts[size - 1].combining_class < part.combining_class);
    if (open) {
      FormCodePoint& first = parts[starter].value;
      const std::uint32_t whole = form_data().compose(first.code_point, part.value.code_point);
      if (whole != 0) {
        first.code_point = whole;
        first.used += part.value.used;
        continue;
      }
    }
    if (part.combining_class == 0) starter = size;
    parts[size++] = part;
  }
  parts.resize(size);
}

}  // namespace

bool is_inert(NormalizationForm form, std::uint32_t code_point) {
  return form_data().is_inert(form, code_point);
}

void append_form(NormalizationForm form, const std::vector<std::uint32_t>& source,
                 std::vector<FormCodePoint>& out) {
  std::vector<Part> parts;
  parts.reserve(source.size());
  CodePoints decomposed{};
  for (const std::uint32_t c : source) {
    const std::size_t size = decompose(c, is_compatible(form), decomposed);
    for (std::size_t i = 0; i < size; ++i) {
      const auto part = static_cast<std::uint32_t>(decomposed[i]);
      parts.push_back({{part, i == 0 ? 1 : 0}, combining_class(part)});
    }
  }
  reorder(parts);
  if (is_composing(form)) compose(parts);
  for (const Part& part : parts) out.push_back(part.value);
}

}  // namespace pretrain
