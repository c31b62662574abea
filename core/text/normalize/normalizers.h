#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/pipeline/normalizer.h"
#include "core/text/unicode/normalization.h"

namespace pretrain {

// The normalizers of tokenizer.json, by their names there.

/// NFC, NFD, NFKC, NFKD.
std::unique_ptr<Normalizer> make_unicode_form(NormalizationForm form);
/// Lowercase: each code point by itself (append_lower_case).
std::unique_ptr<Normalizer> make_lowercase();
/// StripAccents: removes marks (CharacterSet::kAccents); decompose the text before.
std::unique_ptr<Normalizer> make_strip_accents();
/// Strip: removes white space at the two ends of the text.
std::unique_ptr<Normalizer> make_strip(bool left, bool right);
/// Prepend: puts `prefix` in front of a text that is not empty.
std::unique_ptr<Normalizer> make_prepend(std::string prefix);
/// Replace with a pattern of the kind String: each place where `pattern` stands, from the left.
/// Throws kBadData if `pattern` is empty, naming `place`.
std::unique_ptr<Normalizer> make_replace(std::string pattern, std::string content,
                                         const std::string& place);
/// Replace with a pattern of the kind Regex that is one character and {N,}, as " {2,}": each run of
/// at least `at_least` (1 or more) times `character`, of any length, becomes one `content`.
/// `character`: the UTF-8 of one code point.
std::unique_ptr<Normalizer> make_replace_runs(std::string character, std::size_t at_least,
                                              std::string content);
/// All of `parts`, one after the other.
std::unique_ptr<Normalizer> make_normalizer_sequence(
    std::vector<std::unique_ptr<Normalizer>> parts);

struct BertNormalizerOptions {
  bool clean_text = true;                  ///< no controls; white space becomes a blank
  bool handle_chinese_chars = true;        ///< blanks around CJK ideographs
  std::optional<bool> strip_accents = {};  ///< decompose, remove marks; not given: as lowercase
  bool lowercase = true;
};

/// BertNormalizer: the four steps in this order.
std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options);

/// Precompiled: the replacements of SentencePiece. `charsmap`: the bytes of precompiled_charsmap
/// (not base64): size of a double array (Darts), the array, and texts ending with NUL that its
/// values point to; empty: nothing is replaced. Applied as `tokenizers` does: a grapheme cluster of
/// less than 6 bytes as a whole if some beginning of it has a replacement, otherwise each code
/// point. SentencePiece itself takes the longest match at each place. Throws kBadData, naming
/// `place`, for a map whose parts do not fit together or lead out of it.
std::unique_ptr<Normalizer> make_precompiled(std::string_view charsmap, const std::string& place);

}  // namespace pretrain
