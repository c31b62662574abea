#include "core/text/format/sentencepiece_model.h"

#include <cmath>
#include <optional>
#include <unordered_map>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/format/protobuf_reader.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

using Piece = SentencepieceModel::Piece;
using PieceKind = SentencepieceModel::PieceKind;

constexpr std::uint64_t kUnigram = 1;
constexpr std::uint64_t kBpe = 2;

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  fail(ExitCode::kBadData, place, ": ", what,
       " is not supported. Supported: Unigram and BPE models with normal, unknown, control, "
       "user-defined and byte pieces");
}

Piece read_piece(std::string_view bytes, std::size_t id, const std::string& place) {
  Piece piece;
  std::uint64_t kind = 1;
  const std::string piece_place = concat(place, ": piece ", id);
  for (ProtobufReader field(bytes, piece_place); field.next();) {
    if (field.number() == 1) piece.text = field.bytes("piece");
    if (field.number() == 2) piece.score = field.real("score");
    if (field.number() == 3) kind = field.whole("type");
  }
  if (kind < 1 || kind > 6)
    fail(ExitCode::kBadData, piece_place, ": type ", kind, ", expected 1 to 6");
  piece.kind = static_cast<PieceKind>(kind);
  if (piece.text.empty()) fail(ExitCode::kBadData, piece_place, ": its text is empty");
  if (const auto bad = find_invalid_utf8(piece.text)) {
    fail(ExitCode::kBadData, piece_place, ": byte ", *bad, " of its text is not valid UTF-8");
  }
  if (!std::isfinite(piece.score)) {
    fail(ExitCode::kBadData, piece_place, " ", json_string(piece.text), ": score ", piece.score,
         ", expected a finite number");
  }
  if (piece.kind == PieceKind::kUnused) {
    refuse(place, concat("the unused piece ", id, " ", json_string(piece.text)));
  }
  return piece;
}

void read_trainer_spec(std::string_view bytes, const std::string& place,
                       SentencepieceModel& model) {
  std::uint64_t kind = kUnigram;
  for (ProtobufReader field(bytes, place + ": trainer_spec"); field.next();) {
    if (field.number() == 3) kind = field.whole("model_type");
    if (field.number() == 35) model.byte_fallback = field.flag("byte_fallback");
    if (field.number() == 24 && field.flag("treat_whitespace_as_suffix")) {
      refuse(place, "trainer_spec.treat_whitespace_as_suffix true");
    }
  }
  if (kind != kUnigram && kind != kBpe) {
    refuse(place, concat("trainer_spec.model_type ", kind,
                         kind == 3   ? " (word)"
                         : kind == 4 ? " (char)"
                                     : ""));
  }
  model.is_bpe = kind == kBpe;
}

void read_normalizer_spec(std::string_view bytes, const std::string& place,
                          SentencepieceModel& model) {
  for (ProtobufReader field(bytes, place + ": normalizer_spec"); field.next();) {
    switch (field.number()) {
      case 1:  // a name for people
      case 6:  // the source of precompiled_charsmap
        break;
      case 2:
        model.charsmap = field.bytes("precompiled_charsmap");
        break;
      case 3:
        model.add_dummy_prefix = field.flag("add_dummy_prefix");
        break;
      case 4:
        model.remove_extra_whitespaces = field.flag("remove_extra_whitespaces");
        break;
      case 5:
        if (!field.flag("escape_whitespaces")) {
          refuse(place, "normalizer_spec.escape_whitespaces false");
        }
        break;
      default:
        refuse(place, concat("normalizer_spec field ", field.number()));
    }
  }
}

void read_denormalizer_spec(std::string_view bytes, const std::string& place) {
  for (ProtobufReader field(bytes, place + ": denormalizer_spec"); field.next();) {
    if (field.number() == 2 && !field.bytes("precompiled_charsmap").empty()) {
      refuse(place, "denormalizer_spec.precompiled_charsmap");
    }
  }
}

void check_pieces(SentencepieceModel& model, const std::string& place) {
  if (model.pieces.empty()) fail(ExitCode::kBadData, place, ": no pieces in it");
  std::unordered_map<std::string_view, std::size_t> seen;
  std::optional<std::size_t> unknown;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    const auto [other, is_new] = seen.emplace(piece.text, id);
    if (!is_new) {
      fail(ExitCode::kBadData, place, ": pieces ", other->second, " and ", id, " are both ",
           json_string(piece.text), ", expected each text once");
    }
    if (piece.kind != PieceKind::kUnknown) continue;
    if (unknown) {
      fail(ExitCode::kBadData, place, ": pieces ", *unknown, " and ", id,
           " are both unknown pieces, expected one");
    }
    unknown = id;
  }
  if (!unknown) fail(ExitCode::kBadData, place, ": no unknown piece, expected one");
  model.unknown = static_cast<std::uint32_t>(*unknown);
}

}  // namespace

SentencepieceModel read_sentencepiece_model(std::string_view bytes, const std::string& place) {
  SentencepieceModel model;
  for (ProtobufReader field(bytes, place); field.next();) {
    switch (field.number()) {
      case 1:
        model.pieces.push_back(read_piece(field.bytes("pieces"), model.pieces.size(), place));
        break;
      case 2:
        read_trainer_spec(field.bytes("trainer_spec"), place, model);
        break;
      case 3:
        read_normalizer_spec(field.bytes("normalizer_spec"), place, model);
        break;
      case 4:  // texts for a self-test
        break;
      case 5:
        read_denormalizer_spec(field.bytes("denormalizer_spec"), place);
        break;
      default:
        refuse(place, concat("field ", field.number()));
    }
  }
  check_pieces(model, place);
  return model;
}

bool looks_like_sentencepiece(std::string_view bytes) {
  // The first field of the first message is a piece: a tag, a length, and again a tag. The tags are
  // line ends, so that JSON below an empty line is told apart by its brace.
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && bytes[first] == '{';
  return bytes.size() > 2 && bytes[0] == '\x0A' && bytes[2] == '\x0A' && !json;
}

}  // namespace pretrain
