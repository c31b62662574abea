#pragma once

#include <cstdint>
#include <vector>

namespace pretrain {

/// The normalization forms of Unicode Standard Annex 15.
enum class NormalizationForm { kNfc, kNfd, kNfkc, kNfkd };

/// A code point of a normalized text and how many code points of the source it used up: 1 if it
/// stands for one, 0 if it was inserted behind another, more if it was composed of some.
struct FormCodePoint {
  std::uint32_t code_point = 0;
  std::int32_t used = 1;
  bool operator==(const FormCodePoint&) const = default;
};

/// Whether a code point is in this form by itself and does not act on what stands before it. A text
/// of such code points is in this form, and the text from one to the next, this excluded, can be
/// normalized on its own. `code_point` <= kMaxCodePoint.
bool is_inert(NormalizationForm form, std::uint32_t code_point);

/// Appends the form of `source` to `out`; summed, `used` is the size of `source`. Data: utf8proc,
/// but code points newer than Unicode 9.0 are inert, as in `tokenizers`
/// (CharacterSet::kNewerThanForms).
void append_form(NormalizationForm form, const std::vector<std::uint32_t>& source,
                 std::vector<FormCodePoint>& out);

}  // namespace pretrain
