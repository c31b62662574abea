#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/format/sentencepiece_model.h"
#include "core/text/format/tokenizer_document.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;
using PieceKind = SentencepieceModel::PieceKind;

constexpr const char* kBlank = "\u2581";  // stands for a blank in pieces

std::string base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

Json replace(const char* pattern, const char* content) {
  return {{"type", "Replace"}, {"pattern", {{"String", pattern}}}, {"content", content}};
}

Json metaspace(const char* scheme, bool split) {
  return {
      {"type", "Metaspace"}, {"replacement", kBlank}, {"prepend_scheme", scheme}, {"split", split}};
}

bool has_user_defined(const SentencepieceModel& model) {
  return std::any_of(model.pieces.begin(), model.pieces.end(),
                     [](const auto& piece) { return piece.kind == PieceKind::kUserDefined; });
}

// Words are cut at blanks and joined to the blank before them; so no piece may go across.
void require_pieces_within_words(const SentencepieceModel& model, const std::string& place) {
  if (!model.add_dummy_prefix) {
    fail(ExitCode::kBadData, place,
         ": remove_extra_whitespaces without add_dummy_prefix is not supported. Train the model "
         "with one of --add_dummy_prefix=true and --remove_extra_whitespaces=false");
  }
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& piece = model.pieces[id];
    const bool is_text = piece.kind == PieceKind::kNormal || piece.kind == PieceKind::kUserDefined;
    if (is_text && piece.text.find(kBlank, 1) != std::string::npos) {
      fail(ExitCode::kBadData, place, ": piece ", id, " ", json_string(piece.text),
           " has a blank inside, which is not supported with remove_extra_whitespaces. Train the "
           "model with --split_by_whitespace=true or --remove_extra_whitespaces=false");
    }
  }
}

// User-defined pieces of BPE are added tokens, which part the text: only what begins it gets the
// prefix then.
bool cuts_at_added_tokens(const SentencepieceModel& model) {
  return model.is_bpe && has_user_defined(model);
}

Json normalizer(const SentencepieceModel& model) {
  Json parts = Json::array();
  if (!model.charsmap.empty()) {
    parts.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", base64(model.charsmap)}});
  }
  if (!model.remove_extra_whitespaces && !cuts_at_added_tokens(model)) {
    if (model.add_dummy_prefix) parts.push_back({{"type", "Prepend"}, {"prepend", kBlank}});
    parts.push_back(replace(" ", kBlank));
  }
  if (parts.empty()) return nullptr;
  return {{"type", "Sequence"}, {"normalizers", parts}};
}

Json pre_tokenizer(const SentencepieceModel& model) {
  if (model.remove_extra_whitespaces) {
    const Json words = {{"type", "Split"},
                        {"pattern", {{"String", " "}}},
                        {"behavior", "Removed"},
                        {"invert", false}};
    return {{"type", "Sequence"},
            {"pretokenizers", Json::array({words, metaspace("always", true)})}};
  }
  if (!cuts_at_added_tokens(model)) return nullptr;
  return metaspace(model.add_dummy_prefix ? "first" : "never", false);
}

Json decoder(const SentencepieceModel& model) {
  Json parts = Json::array({replace(kBlank, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
  if (model.add_dummy_prefix) {
    parts.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return {{"type", "Sequence"}, {"decoders", parts}};
}

std::vector<DocumentToken> added_tokens(const SentencepieceModel& model) {
  std::vector<DocumentToken> added;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& piece = model.pieces[id];
    const bool special = piece.kind == PieceKind::kControl || piece.kind == PieceKind::kUnknown;
    if (!special && !(model.is_bpe && piece.kind == PieceKind::kUserDefined)) continue;
    added.push_back({.id = id, .text = piece.text, .special = special});
  }
  return added;
}

Json unigram(const SentencepieceModel& model) {
  float least = std::numeric_limits<float>::infinity();
  float most = -least;
  for (const auto& piece : model.pieces) {
    if (piece.kind != PieceKind::kNormal) continue;
    least = std::min(least, piece.score);
    most = std::max(most, piece.score);
  }
  Json vocabulary = Json::array();
  for (const auto& piece : model.pieces) {
    // Pieces that text does not become must not lower the score of unknown characters.
    double score = std::max(0.0f, least);
    if (piece.kind == PieceKind::kNormal) score = piece.score;
    if (piece.kind == PieceKind::kUserDefined) {
      // SentencePiece: above every path of the best scores through the same bytes.
      score = static_cast<float>(piece.text.size()) * most - 0.1;
    }
    vocabulary.push_back(Json::array({piece.text, score}));
  }
  return {{"type", "Unigram"},
          {"unk_id", model.unknown},
          {"vocab", std::move(vocabulary)},
          {"byte_fallback", model.byte_fallback}};
}

// Each way to cut a piece into two pieces is a merge; the best pieces come first, the ways of one
// piece in the order of their parts, as transformers writes them.
Json merges(const SentencepieceModel& model) {
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    if (model.pieces[id].kind == PieceKind::kNormal) ids[model.pieces[id].text] = id;
  }
  struct Merge {
    float score;
    std::size_t whole;
    std::size_t left;
    std::size_t right;
  };
  std::vector<Merge> found;
  for (const auto& [text, whole] : ids) {
    for (std::size_t cut = 0; cut < text.size();) {
      next_code_point(text, cut);
      if (cut == text.size()) break;
      const auto left = ids.find(text.substr(0, cut));
      const auto right = ids.find(text.substr(cut));
      if (left == ids.end() || right == ids.end()) continue;
      found.push_back({model.pieces[whole].score, whole, left->second, right->second});
    }
  }
  std::sort(found.begin(), found.end(), [](const Merge& a, const Merge& b) {
    return std::tuple(-a.score, a.whole, a.left, a.right) <
           std::tuple(-b.score, b.whole, b.left, b.right);
  });
  Json list = Json::array();
  for (const Merge& merge : found) {
    list.push_back(Json::array({model.pieces[merge.left].text, model.pieces[merge.right].text}));
  }
  return list;
}

std::string bpe(const SentencepieceModel& model) {
  std::vector<std::string> texts;
  for (const auto& piece : model.pieces) texts.push_back(piece.text);
  return bpe_model_json({.unknown = model.pieces[model.unknown].text,
                         .fuse_unknown = true,
                         .byte_fallback = model.byte_fallback,
                         .vocabulary = vocabulary_json(texts),
                         .merges = merges(model).dump()});
}

}  // namespace

std::string sentencepiece_tokenizer_json(const SentencepieceModel& model,
                                         const std::string& place) {
  if (model.remove_extra_whitespaces) require_pieces_within_words(model, place);
  return tokenizer_document({.normalizer = normalizer(model).dump(),
                             .pre_tokenizer = pre_tokenizer(model).dump(),
                             .decoder = decoder(model).dump(),
                             .model = model.is_bpe ? bpe(model) : unigram(model).dump(),
                             .added_tokens = added_tokens(model)});
}

}  // namespace pretrain
