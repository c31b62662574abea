#include "core/text/model/byte_pair/byte_level_bpe.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/base/error.h"
#include "core/text/model/byte_pair/merging_neighbours.h"
#include "core/text/model/byte_pair/symbol_merger.h"
#include "core/text/model/byte_pair/word_cache.h"
#include "core/text/tokenizer_json.h"

namespace pretrain {
namespace {

// What a thread keeps between texts, of the model it used last.
struct ThreadState {
  std::uint64_t model = 0;
  WordCache cache{ByteLevelBpe::kCacheBytes};
  Symbols symbols;
  SymbolMerger merger;
};

class CachedByteLevelBpe final : public ByteLevelBpe {
 public:
  CachedByteLevelBpe(TrieVocabulary vocabulary, MergeTable merges,
                     const std::array<std::uint32_t, 256>& bytes, bool ignore_merges)
      : vocabulary_(std::move(vocabulary)),
        merges_(std::move(merges)),
        neighbours_(vocabulary_, merges_),
        byte_ids_(bytes),
        part_mark_(ignore_merges ? std::uint64_t{0x80} << 56 : 0),
        ignore_merges_(ignore_merges) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      symbols_[byte] = byte_symbol(static_cast<unsigned char>(byte));
    }
  }

  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  std::string_view token(std::uint32_t id) const override { return vocabulary_.token(id); }

  void encode(std::string_view word, std::vector<std::uint32_t>& ids) const override {
    if (word.empty()) return;
    IdBuffer out(ids);
    const char* const end = word.data() + word.size();
    Word one = {word.data(), word.size(), {}};
    if (one.length <= ShortWord::kMost) one.key = short_word(one.begin, one.length, end);
    add_word(one, end, thread_state(), out);
    out.flush();
  }

  void encode_spans(std::string_view word, std::vector<WordToken>& tokens) const override {
    if (word.empty()) return;
    const std::uint32_t whole = whole_token(word);
    if (whole != ByteTrie::kNone) {
      tokens.push_back({whole, static_cast<std::uint32_t>(word.size())});
      return;
    }
    ThreadState& state = thread_state();
    merge_symbols(word, state);
    for (std::size_t i = 0; i < state.symbols.ids.size(); ++i) {
      tokens.push_back({state.symbols.ids[i], state.symbols.ends[i]});
    }
  }

  void encode_text(const SplitPattern& pattern, std::string_view text,
                   std::vector<std::uint32_t>& ids) const override {
    with_scanner(pattern, text, [&](const auto& scanner) { encode_pieces(scanner, text, ids); });
  }

 private:
  // Ids are collected here first, so that a word costs no look at the vector's capacity.
  class IdBuffer {
   public:
    explicit IdBuffer(std::vector<std::uint32_t>& ids) : ids_(ids) {}
    IdBuffer(const IdBuffer&) = delete;
    IdBuffer& operator=(const IdBuffer&) = delete;

    // Where up to ShortWord::kMost ids may be written before the next advance().
    std::uint32_t* next() { return next_; }
    void advance(std::size_t count) {
      next_ += count;
      if (next_ >= buffer_ + kSize) [[unlikely]]
        flush();
    }
    void flush() {
      ids_.insert(ids_.end(), buffer_, next_);
      next_ = buffer_;
    }
    std::vector<std::uint32_t>& flushed() {
      flush();
      return ids_;
    }

   private:
    static constexpr std::size_t kSize = 512;
    std::vector<std::uint32_t>& ids_;
    std::uint32_t buffer_[kSize + ShortWord::kMost];
    std::uint32_t* next_ = buffer_;
  };

  template <class Scanner>
  void encode_pieces(const Scanner& scanner, std::string_view text,
                     std::vector<std::uint32_t>& ids) const {
    ThreadState& state = thread_state();
    IdBuffer out(ids);
    const char* const end = text.data() + text.size();
    // In batches, so that the cache's memory comes while the next words are looked for.
    Word words[kBatch];
    for (const char* begin = text.data(); begin < end;) {
      std::size_t count = 0;
      for (; count < kBatch && begin < end; ++count) {
        const char* const piece_end = scanner.piece_end(begin);
        Word& word = words[count];
        word = {begin, static_cast<std::size_t>(piece_end - begin), {}};
        if (word.length <= ShortWord::kMost) [[likely]] {
          word.key = short_word(begin, word.length, end);
          state.cache.prefetch(word.key);
        }
        begin = piece_end;
      }
      for (std::size_t i = 0; i < count; ++i) add_word(words[i], end, state, out);
    }
    out.flush();
  }

  // A word in a text, and its key if it is a short one.
  struct Word {
    const char* begin;
    std::size_t length;
    ShortWord key;
  };
  static constexpr std::size_t kBatch = 32;

  // A word, behind which the text can be read up to `text_end`.
  void add_word(const Word& word, const char* text_end, ThreadState& state, IdBuffer& out) const {
    const bool is_short = word.length <= ShortWord::kMost;
    if (is_short) [[likely]] {
      if (const WordCache::Entry* entry = state.cache.find(word.key)) [[likely]] {
        std::memcpy(out.next(), entry->ids.data(), sizeof entry->ids);
        return out.advance(entry->count);
      }
    }
    const std::uint32_t whole = whole_token({word.begin, word.length});
    const char* const end = word.begin + word.length;
    if (whole != ByteTrie::kNone) {
      if (is_short) state.cache.put(word.key, &whole, 1);
      *out.next() = whole;
      out.advance(1);
    } else if (is_short && part_end(word.begin, end) == end) {
      out.advance(merge_short(word.begin, word.length, word.key, state, out.next()));
    } else {
      add_parts(word.begin, end, text_end, state, out);
    }
  }

  // Cuts a word where no merge reaches across, so that in scripts of which the vocabulary knows
  // little nearly all is found in the cache.
  void add_parts(const char* begin, const char* end, const char* text_end, ThreadState& state,
                 IdBuffer& out) const {
    while (begin < end) {
      const char* const behind = part_end(begin, end);
      const auto length = static_cast<std::size_t>(behind - begin);
      if (length == 1) {
        *out.next() = byte_id(*begin);
        out.advance(1);
      } else if (length <= ShortWord::kMost) {
        ShortWord key = short_word(begin, length, text_end);
        key.high |= part_mark_;
        if (const WordCache::Entry* entry = state.cache.find(key)) [[likely]] {
          std::memcpy(out.next(), entry->ids.data(), sizeof entry->ids);
          out.advance(entry->count);
        } else {
          out.advance(merge_short(begin, length, key, state, out.next()));
        }
      } else {
        merge_long({begin, length}, state, out.flushed());
      }
      begin = behind;
    }
  }

  // Behind the bytes at `begin` that merges may reach across.
  const char* part_end(const char* begin, const char* end) const {
    do {
      ++begin;
    } while (begin < end && neighbours_.may_merge(begin[-1], begin[0]));
    return begin;
  }

  static ShortWord short_word(const char* begin, std::size_t length, const char* text_end) {
    return text_end - begin >= 16 ? ShortWord::from_wide(begin, length)
                                  : ShortWord::from(begin, length);
  }

  // Writes the ids of a part that is not in the cache, and returns how many.
  std::size_t merge_short(const char* part, std::size_t length, const ShortWord& key,
                          ThreadState& state, std::uint32_t* ids) const {
    for (std::size_t i = 0; i < length; ++i) ids[i] = byte_id(part[i]);
    const std::size_t count = SymbolMerger::merge_short(merges_, ids, length);
    if (count <= WordCache::kMostIds) state.cache.put(key, ids, count);
    return count;
  }

  void merge_long(std::string_view part, ThreadState& state,
                  std::vector<std::uint32_t>& ids) const {
    if (part.size() > SymbolMerger::kShort) {
      merge_symbols(part, state);
      ids.insert(ids.end(), state.symbols.ids.begin(), state.symbols.ids.end());
      return;
    }
    std::uint32_t merged[SymbolMerger::kShort];
    for (std::size_t i = 0; i < part.size(); ++i) merged[i] = byte_id(part[i]);
    ids.insert(ids.end(), merged, merged + SymbolMerger::merge_short(merges_, merged, part.size()));
  }

  // Leaves the tokens in state.symbols.
  void merge_symbols(std::string_view part, ThreadState& state) const {
    if (part.size() > UINT32_MAX) {
      fail(ExitCode::kBadData, "a word of ", part.size(), " bytes, expected less than 4 GiB");
    }
    state.symbols.clear();
    for (std::uint32_t i = 0; i < part.size(); ++i) state.symbols.add(byte_id(part[i]), i + 1);
    state.merger.merge(merges_, state.symbols);
  }

  // With ignore_merges, the token that is the whole word; else kNone.
  std::uint32_t whole_token(std::string_view word) const {
    if (!ignore_merges_) return ByteTrie::kNone;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (const char byte : word) {
      for (const char part : symbols_[static_cast<unsigned char>(byte)]) {
        node = vocabulary_.trie().step(node, part);
        if (node == ByteTrie::kNone) return ByteTrie::kNone;
      }
    }
    const std::uint32_t id = vocabulary_.trie().value(node);
    return id == ByteTrie::kNone || vocabulary_.is_reserved(id) ? ByteTrie::kNone : id;
  }

  std::uint32_t byte_id(char byte) const { return byte_ids_[static_cast<unsigned char>(byte)]; }

  ThreadState& thread_state() const {
    static thread_local ThreadState state;
    if (state.model != serial_) {
      state = ThreadState();
      state.model = serial_;
    }
    return state;
  }

  static std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }

  TrieVocabulary vocabulary_;
  MergeTable merges_;
  MergingNeighbours neighbours_;
  std::array<std::uint32_t, 256> byte_ids_;
  // Tells parts of words in the cache from whole words, where these may be other tokens.
  std::uint64_t part_mark_;
  std::array<std::string, 256> symbols_;
  bool ignore_merges_;
  std::uint64_t serial_ = next_serial();  // never 0, which is no model
};

}  // namespace

std::optional<std::array<std::uint32_t, 256>> byte_ids(const TrieVocabulary& vocabulary) {
  std::array<std::uint32_t, 256> ids{};
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    const auto id = vocabulary.id_of(byte_symbol(static_cast<unsigned char>(byte)));
    if (!id || vocabulary.is_reserved(*id)) return std::nullopt;
    ids[byte] = *id;
  }
  return ids;
}

std::unique_ptr<ByteLevelBpe> make_byte_level_bpe(TrieVocabulary vocabulary, MergeTable merges,
                                                  const std::array<std::uint32_t, 256>& bytes,
                                                  bool ignore_merges) {
  return std::make_unique<CachedByteLevelBpe>(std::move(vocabulary), std::move(merges), bytes,
                                              ignore_merges);
}

}  // namespace pretrain
