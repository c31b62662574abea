#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pretrain {

/// Turns the texts of tokens back into text; the joined texts are the result. Immutable after
/// construction; safe to share between threads.
class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  virtual void decode(std::vector<std::string>& tokens) const = 0;
};

/// Symbols to their bytes, joined to one text; a token that is not made of symbols alone stays.
std::unique_ptr<TokenDecoder> make_byte_level_decoder();
/// A blank in front of each token but the first and those with `prefix`, which is cut off;
/// `cleanup`: no blanks before punctuation and English contractions.
std::unique_ptr<TokenDecoder> make_word_piece_decoder(std::string prefix, bool cleanup);
/// A blank for each `mark`; `prepended`: none for those in the first token.
std::unique_ptr<TokenDecoder> make_metaspace_decoder(std::string mark, bool prepended);
/// `suffix` becomes a blank, in the last token nothing.
std::unique_ptr<TokenDecoder> make_bpe_decoder(std::string suffix);
/// Rows of tokens "<0x00>" to "<0xFF>" to the text that their bytes are; if that is no UTF-8, each
/// of them to U+FFFD.
std::unique_ptr<TokenDecoder> make_byte_fallback_decoder();
/// All tokens joined to one.
std::unique_ptr<TokenDecoder> make_fuse_decoder();
/// Cuts `character` (one code point) off each token: at most `start` times in front, `stop` behind.
std::unique_ptr<TokenDecoder> make_strip_decoder(std::string character, std::uint64_t start,
                                                 std::uint64_t stop);
/// `by` for each `text` in a token; `text` must not be empty.
std::unique_ptr<TokenDecoder> make_replace_decoder(std::string text, std::string by);
/// One after the other.
std::unique_ptr<TokenDecoder> make_decoder_sequence(
    std::vector<std::unique_ptr<TokenDecoder>> parts);

}  // namespace pretrain
