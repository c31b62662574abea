#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/model/trie_vocabulary.h"
#include "core/text/model/word_models.h"

namespace pretrain {
namespace {

constexpr double kUnknownPenalty = 10.0;  // of SentencePiece: unknown = least score - 10

// The value that serde_json has for the shortest decimal form of `score`: the digits as one whole
// number, then one division or multiplication by a power of ten, so not always the nearest double.
double as_serde_json_reads(double score) {
  std::array<char, 32> text;
  const char* end = std::to_chars(text.data(), text.data() + text.size(), std::abs(score),
                                  std::chars_format::scientific)
                        .ptr;
  std::uint64_t digits = 0;
  int exponent = 0;
  bool is_fraction = false;
  for (const char* at = text.data(); at != end; ++at) {
    if (*at == '.') {
      is_fraction = true;
    } else if (*at == 'e') {
      int written = 0;
      std::from_chars(at + (at[1] == '+' ? 2 : 1), end, written);
      exponent += written;
      break;
    } else {
      digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
      exponent -= is_fraction ? 1 : 0;
    }
  }
  double value = static_cast<double>(digits);
  if (exponent < -308) {
    value /= 1e308;
    exponent += 308;
  }
  double power = 1;
  const std::string power_text = concat("1e", std::abs(exponent));
  std::from_chars(power_text.data(), power_text.data() + power_text.size(), power);
  value = exponent < 0 ? value / power : value * power;
  return score < 0 ? -value : value;
}

// The best path that ends at a place of the word.
struct PathEnd {
  double score = 0;
  std::uint32_t id = 0;
  std::uint32_t length = 0;  // bytes of its last token; 0: no path ends here
};

// A token of the best path; `unknown` ones that touch become one.
struct Piece {
  std::uint32_t id;
  std::size_t begin;
  std::size_t end;
};

class Unigram : public TextModel {
 public:
  Unigram(std::vector<std::string> vocabulary, const std::vector<double>& scores,
          const UnigramOptions& options, const std::string& place)
      : vocabulary_(std::move(vocabulary), options.reserved, place), unknown_(options.unknown) {
    if (scores.size() != vocabulary_.size()) {
      fail(ExitCode::kBadData, place, ": ", scores.size(), " scores of ", vocabulary_.size(),
           " tokens, expected one for each");
    }
    if (unknown_ && *unknown_ >= vocabulary_.size()) {
      fail(ExitCode::kBadData, place, ": unk_id ", *unknown_, ", expected 0 to ",
           vocabulary_.size() - 1);
    }
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t id = 0; id < scores.size(); ++id) {
      if (!std::isfinite(scores[id])) {
        fail(ExitCode::kBadData, place, ": token ", id, " ",
             json_string(vocabulary_.token(static_cast<std::uint32_t>(id))), " has the score ",
             scores[id], ", expected a finite number");
      }
      scores_.push_back(as_serde_json_reads(scores[id]));
      least = std::min(least, scores_.back());
    }
    unknown_score_ = least - kUnknownPenalty;
    if (options.byte_fallback) find_byte_tokens();
  }

  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  std::string_view token(std::uint32_t id) const override { return vocabulary_.token(id); }

  void encode(std::string_view word, std::vector<std::uint32_t>& ids) const override {
    segment(word, [&](std::uint32_t id, std::size_t) { ids.push_back(id); });
  }
  void encode_spans(std::string_view word, std::vector<WordToken>& tokens) const override {
    segment(word, [&](std::uint32_t id, std::size_t end) {
      tokens.push_back({id, static_cast<std::uint32_t>(end)});
    });
  }

 private:
  void find_byte_tokens() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::array<char, 8> name;
      std::snprintf(name.data(), name.size(), "<0x%02X>", byte);
      byte_ids_[byte] = vocabulary_.trie().find(name.data());
    }
    has_bytes_ = true;
  }

  // Calls emit(id, end) for each token of the best path. Where no token reaches across a place,
  // every path goes through it: what lies before is settled then, so that memory follows the
  // longest tokens and not the word.
  template <class Emit>
  void segment(std::string_view word, Emit emit) const {
    static thread_local std::vector<PathEnd> ends;  // [i]: at word[settled + i]
    static thread_local std::vector<Piece> pieces;
    std::size_t settled = 0;
    std::size_t reach = 0;
    std::size_t unknown_begin = 0;  // an unknown run not emitted yet is word[begin, end)
    std::size_t unknown_end = 0;
    ends.assign(1, {});
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t next = extend(word, at, settled, ends);
      reach = std::max(reach, settled + ends.size() - 1);
      at = next;
      if (at < reach) continue;
      pieces.clear();
      for (std::size_t end = at; end > settled;) {
        const PathEnd& path = ends[end - settled];
        pieces.push_back({path.id, end - path.length, end});
        end -= path.length;
      }
      for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
        if (unknown_ && piece->id == *unknown_) {
          if (unknown_end == unknown_begin) unknown_begin = piece->begin;
          unknown_end = piece->end;
          continue;
        }
        emit_unknown(word, unknown_begin, unknown_end, emit);
        unknown_begin = unknown_end = 0;
        emit(piece->id, piece->end);
      }
      // Scores go on from where they are: starting anew would round, and break ties, differently.
      const double score = ends[at - settled].score;
      ends.assign(1, {.score = score});
      settled = at;
    }
    emit_unknown(word, unknown_begin, unknown_end, emit);
  }

  // Enters the paths that go on from word[at]; returns the place of the next character.
  std::size_t extend(std::string_view word, std::size_t at, std::size_t settled,
                     std::vector<PathEnd>& ends) const {
    const ByteTrie& trie = vocabulary_.trie();
    const double so_far = ends[at - settled].score;
    const auto lead = static_cast<unsigned char>(word[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    bool covered = false;
    const auto enter = [&](std::size_t end, std::uint32_t id, double score) {
      if (end - settled >= ends.size()) ends.resize(end - settled + 1);
      PathEnd& path = ends[end - settled];
      if (path.length != 0 && !(score > path.score)) return;
      path = {score, id, static_cast<std::uint32_t>(end - at)};
    };
    ByteTrie::Node node = ByteTrie::kRoot;
    for (std::size_t i = at; i < word.size(); ++i) {
      node = trie.step(node, word[i]);
      if (node == ByteTrie::kNone) break;
      const std::uint32_t id = trie.value(node);
      if (id == ByteTrie::kNone || vocabulary_.is_reserved(id)) continue;
      enter(i + 1, id, so_far + scores_[id]);
      covered = covered || i + 1 - at == length;
    }
    if (!covered) {
      const PathEnd* there =
          at + length - settled < ends.size() ? &ends[at + length - settled] : nullptr;
      const double score = so_far + unknown_score_;
      const bool better = there == nullptr || there->length == 0 || score > there->score;
      if (better && !unknown_) {
        fail(ExitCode::kBadData, "the character ", json_string(word.substr(at, length)),
             " is no token, and the vocabulary has no unknown token (unk_id)");
      }
      if (better) enter(at + length, *unknown_, score);
    }
    return at + length;
  }

  template <class Emit>
  void emit_unknown(std::string_view word, std::size_t begin, std::size_t end, Emit emit) const {
    if (begin == end) return;
    const std::string_view text = word.substr(begin, end - begin);
    // As Hugging Face's library: a run that happens to be a token is that token.
    const std::uint32_t id = vocabulary_.trie().find(text);
    if (id != ByteTrie::kNone && !vocabulary_.is_reserved(id)) return emit(id, end);
    const bool as_bytes = has_bytes_ && std::all_of(text.begin(), text.end(), [&](char byte) {
                            return byte_ids_[static_cast<unsigned char>(byte)] != ByteTrie::kNone;
                          });
    if (!as_bytes) return emit(*unknown_, end);
    for (std::size_t i = begin; i < end; ++i) {
      emit(byte_ids_[static_cast<unsigned char>(word[i])], i + 1);
    }
  }

  TrieVocabulary vocabulary_;
  std::vector<double> scores_;  // by id
  std::optional<std::uint32_t> unknown_;
  double unknown_score_ = 0;
  bool has_bytes_ = false;
  std::array<std::uint32_t, 256> byte_ids_{};
};

}  // namespace

std::unique_ptr<TextModel> make_unigram(std::vector<std::string> vocabulary,
                                        const std::vector<double>& scores,
                                        const UnigramOptions& options, const std::string& place) {
  return std::make_unique<Unigram>(std::move(vocabulary), scores, options, place);
}

}  // namespace pretrain
