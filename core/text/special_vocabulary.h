#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// Most special tokens that one list may name.
inline constexpr std::size_t kMaxSpecialTokens = 10000;

/// The special tokens of a vocabulary; their ids follow those of its ordinary symbols.
class SpecialVocabulary {
 public:
  /// `<|endoftext|>` if `with_eos`, then `others` in the given order, with ids from `first_id` on.
  /// Throws kUsage naming the text if one of `others` is empty, no valid UTF-8, given twice,
  /// `<|endoftext|>`, or an ordinary symbol, for which a reader could mistake it.
  SpecialVocabulary(std::uint32_t first_id, bool with_eos, const std::vector<std::string>& others,
                    const std::function<bool(const std::string&)>& is_ordinary);

  /// Number of ids, those of the ordinary symbols included.
  std::int64_t vocab_size() const;
  /// Id of `<|endoftext|>`; -1: there is none.
  std::int64_t eos_id() const { return eos_id_; }
  std::optional<std::uint32_t> id_of(std::string_view text) const;
  std::vector<std::uint32_t> ids() const;                           ///< ascending
  const std::vector<std::string>& texts() const { return texts_; }  ///< in the order of the ids

 private:
  std::uint32_t first_id_;
  std::int64_t eos_id_ = -1;
  std::vector<std::string> texts_;
  std::map<std::string, std::uint32_t, std::less<>> id_of_;
};

/// The texts that the list of `--special` stands for: separated by commas, `<extra_id_0..99>` for
/// 100 numbered ones, and a word for the tokens of a kind of model: `bert` for
/// `[PAD],[CLS],[SEP],[MASK]`, `t5` for `<pad>,</s>,<extra_id_0..99>`, `fim` for
/// `<|fim_prefix|>,<|fim_middle|>,<|fim_suffix|>`. Throws kUsage naming what is wrong: an empty
/// text, a blank at its edge, a range that is none, more than kMaxSpecialTokens.
std::vector<std::string> parse_special_tokens(std::string_view list);

}  // namespace pretrain
