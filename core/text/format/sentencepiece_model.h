#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// What a SentencePiece `.model` file says of the ids of a text (its message ModelProto).
struct SentencepieceModel {
  enum class PieceKind { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };
  struct Piece {
    std::string text;
    float score = 0;
    PieceKind kind = PieceKind::kNormal;
  };
  std::vector<Piece> pieces = {};  ///< by id
  bool is_bpe = false;             ///< else Unigram
  bool byte_fallback = false;
  std::string charsmap = {};  ///< precompiled_charsmap; empty: the text stays as it is
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  std::uint32_t unknown = 0;  ///< id of the one unknown piece
};

/// Reads the bytes of a `.model` file. Throws kBadData naming `place` and what is broken (a
/// truncated message, a wrong type, a piece twice, a score that is no number) or not supported
/// (models of kinds word and char, unused pieces, denormalizers, blanks as suffixes or not
/// escaped).
SentencepieceModel read_sentencepiece_model(std::string_view bytes, const std::string& place);

/// Whether a file that begins with these bytes may be a `.model` file and is no JSON text.
bool looks_like_sentencepiece(std::string_view bytes);

/// The tokenizer.json text that gives the ids of the model; control pieces and the unknown one are
/// its special tokens. Differences left to SentencePiece: README.md. Throws kBadData naming what no
/// tokenizer.json can say: extra blanks removed without a prefix, or a piece with a blank inside
/// where they are.
std::string sentencepiece_tokenizer_json(const SentencepieceModel& model, const std::string& place);

}  // namespace pretrain
