#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/text/model/text_model.h"

namespace pretrain {

struct WordPieceOptions {
  std::string unknown = "[UNK]";             ///< token of words that cannot be cut; may be absent
  std::string prefix = "##";                 ///< begins the tokens that continue a word
  std::size_t max_characters = 100;          ///< longer words are unknown; in code points
  std::vector<std::uint32_t> reserved = {};  ///< ids that text never becomes
};

struct UnigramOptions {
  std::optional<std::uint32_t> unknown = {};  ///< id of what no token covers
  bool byte_fallback = false;                 ///< that becomes tokens "<0x00>" to "<0xFF>" instead
  std::vector<std::uint32_t> reserved = {};   ///< ids that text never becomes
};

struct WordLevelOptions {
  std::string unknown = "<unk>";             ///< token of all other words; may be absent
  std::vector<std::uint32_t> reserved = {};  ///< ids that text never becomes
};

/// Cuts a word from its start into the longest tokens there are, the later ones of those with the
/// prefix; one unknown token if that fails. As BERT (J. Devlin et al., 2018). `vocabulary`: texts
/// in the order of their ids; `place` names it in messages. Throws kBadData naming the entry that
/// is given twice or no UTF-8. So do the functions below.
std::unique_ptr<TextModel> make_word_piece(std::vector<std::string> vocabulary,
                                           const WordPieceOptions& options,
                                           const std::string& place);

/// The segmentation with the largest sum of scores, by Viterbi (T. Kudo, "Subword Regularization",
/// 2018). A character that is no token scores 10 below the least score; neighbouring unknown
/// characters are one token. Of equal sums the segmentation stays that was found first, reading
/// from the left, shorter tokens first. `scores` of the tokens, as many: finite, else kBadData.
/// They are rounded as serde_json reads their shortest decimal form, since Hugging Face's library
/// does so and the last bit decides ties.
std::unique_ptr<TextModel> make_unigram(std::vector<std::string> vocabulary,
                                        const std::vector<double>& scores,
                                        const UnigramOptions& options, const std::string& place);

/// Whole words or nothing.
std::unique_ptr<TextModel> make_word_level(std::vector<std::string> vocabulary,
                                           const WordLevelOptions& options,
                                           const std::string& place);

}  // namespace pretrain
