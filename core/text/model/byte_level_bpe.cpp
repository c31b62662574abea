#include "core/text/model/byte_level_bpe.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/base/error.h"
#include "core/text/model/symbol_merger.h"
#include "core/text/model/word_cache.h"
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
        byte_ids_(bytes),
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
    ThreadState& state = thread_state();
    if (word.size() > ShortWord::kMost) return add_long(word, state, ids);
    const ShortWord key = ShortWord::from(word.data(), word.size());
    std::uint32_t found[ShortWord::kMost];
    const std::size_t count = add_short(key, word, state, found);
    ids.insert(ids.end(), found, found + count);
  }

  void encode_spans(std::string_view word, std::vector<WordToken>& tokens) const override {
    if (word.empty()) return;
    ThreadState& state = thread_state();
    merge_long(word, state);
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
  static constexpr std::size_t kBuffer = 512;

  template <class Scanner>
  void encode_pieces(const Scanner& scanner, std::string_view text,
                     std::vector<std::uint32_t>& ids) const {
    ThreadState& state = thread_state();
    std::uint32_t buffer[kBuffer + ShortWord::kMost];
    std::uint32_t* next = buffer;
    const auto flush = [&] {
      ids.insert(ids.end(), buffer, next);
      next = buffer;
    };
    const char* const end = text.data() + text.size();
    for (const char* begin = text.data(); begin < end;) {
      const char* const piece_end = scanner.piece_end(begin);
      const auto length = static_cast<std::size_t>(piece_end - begin);
      if (length <= ShortWord::kMost) [[likely]] {
        const ShortWord key = end - begin >= 16 ? ShortWord::from_wide(begin, length)
                                                : ShortWord::from(begin, length);
        if (const WordCache::Entry* entry = state.cache.find(key)) [[likely]] {
          std::memcpy(next, entry->ids.data(), sizeof entry->ids);
          next += entry->count;
        } else {
          next += merge_short({begin, length}, key, state, next);
        }
        if (next >= buffer + kBuffer) flush();
      } else {
        flush();
        add_long({begin, length}, state, ids);
      }
      begin = piece_end;
    }
    flush();
  }

  std::size_t add_short(const ShortWord& key, std::string_view word, ThreadState& state,
                        std::uint32_t* ids) const {
    const WordCache::Entry* entry = state.cache.find(key);
    if (entry == nullptr) return merge_short(word, key, state, ids);
    std::copy_n(entry->ids.data(), entry->count, ids);
    return entry->count;
  }

  // Writes the ids of a short word that is not in the cache, and returns how many.
  std::size_t merge_short(std::string_view word, const ShortWord& key, ThreadState& state,
                          std::uint32_t* ids) const {
    std::size_t count = word.size();
    const std::uint32_t whole = whole_token(word);
    if (whole != ByteTrie::kNone) {
      ids[0] = whole;
      count = 1;
    } else {
      for (std::size_t i = 0; i < count; ++i) ids[i] = byte_id(word[i]);
      count = SymbolMerger::merge_short(merges_, ids, count);
    }
    if (count <= WordCache::kMostIds) state.cache.put(key, ids, count);
    return count;
  }

  void add_long(std::string_view word, ThreadState& state, std::vector<std::uint32_t>& ids) const {
    if (word.size() > SymbolMerger::kShort) {
      merge_long(word, state);
      ids.insert(ids.end(), state.symbols.ids.begin(), state.symbols.ids.end());
      return;
    }
    const std::uint32_t whole = whole_token(word);
    if (whole != ByteTrie::kNone) {
      ids.push_back(whole);
      return;
    }
    std::uint32_t merged[SymbolMerger::kShort];
    for (std::size_t i = 0; i < word.size(); ++i) merged[i] = byte_id(word[i]);
    const std::size_t count = SymbolMerger::merge_short(merges_, merged, word.size());
    ids.insert(ids.end(), merged, merged + count);
  }

  // Leaves the tokens in state.symbols.
  void merge_long(std::string_view word, ThreadState& state) const {
    if (word.size() > UINT32_MAX) {
      fail(ExitCode::kBadData, "a word of ", word.size(), " bytes, expected less than 4 GiB");
    }
    state.symbols.clear();
    const std::uint32_t whole = whole_token(word);
    if (whole != ByteTrie::kNone) {
      state.symbols.add(whole, static_cast<std::uint32_t>(word.size()));
      return;
    }
    for (std::uint32_t i = 0; i < word.size(); ++i) state.symbols.add(byte_id(word[i]), i + 1);
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
  std::array<std::uint32_t, 256> byte_ids_;
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
