#include "core/data/corpus/filter/duplicate_index.h"

#include <xxhash.h>

#include <algorithm>
#include <string>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/corpus/filter/text_units.h"

namespace pretrain {
namespace {

constexpr std::size_t kShingleWords = 5;
constexpr std::size_t kMaxCandidates = 32;
constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kChunkDocuments = 4096;

// Hash function k is x -> mix((x + add[k]) * multiply[k]), a permutation of 32 bits.
struct HashFunctions {
  HashFunctions() {
    RandomStream random(0x6d696e68617368, RandomPurpose::kSplit, 0);
    for (std::size_t k = 0; k < kSignature; ++k) {
      multiply[k] = random.next_u32() | 1;
      add[k] = random.next_u32();
    }
  }
  std::array<std::uint32_t, kSignature> multiply;
  std::array<std::uint32_t, kSignature> add;
};

std::uint32_t word_hash(std::string_view word, std::string& lower) {
  lower.assign(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return static_cast<std::uint32_t>(XXH3_64bits(lower.data(), lower.size()));
}

// A hash table with open addressing: `Slot` has empty(), and position() for its place.
template <class Slot>
class OpenTable {
 public:
  std::uint64_t bytes() const { return slots_.size() * sizeof(Slot); }
  // Of memory if one more is put in; while it grows, both tables are there.
  std::uint64_t bytes_after_put() const { return full() ? bytes() * 3 : bytes(); }
  void put(const Slot& slot) {
    if (full()) grow();
    ++used_;
    place(slot);
  }
  // Calls `use` for each slot from the place of `slot` on until one is empty or `use` is true.
  template <class Use>
  bool any_from(const Slot& slot, const Use& use) const {
    for (std::size_t at = slot.position() & mask(); !slots_[at].empty(); at = (at + 1) & mask()) {
      if (use(slots_[at])) return true;
    }
    return false;
  }

 private:
  std::size_t mask() const { return slots_.size() - 1; }
  bool full() const { return used_ + 1 > slots_.size() / 8 * 5; }
  void place(const Slot& slot) {
    std::size_t at = slot.position() & mask();
    while (!slots_[at].empty()) at = (at + 1) & mask();
    slots_[at] = slot;
  }
  // Slots of one place keep their order: what is found first does not depend on the growth.
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    std::size_t first = 0;
    while (first < old.size() && !old[first].empty()) ++first;
    for (std::size_t i = 0; i < old.size(); ++i) {
      const Slot& slot = old[(first + i) & (old.size() - 1)];
      if (!slot.empty()) place(slot);
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(kFirstSlots);
  std::uint64_t used_ = 0;
};

struct ContentSlot {
  ContentHash hash{};
  bool empty() const { return hash[0] == 0 && hash[1] == 0; }
  std::size_t position() const { return hash[0]; }
};

struct BandSlot {
  std::uint32_t tag = 0;
  std::uint32_t document = 0;  // + 1
  bool empty() const { return document == 0; }
  std::size_t position() const { return tag; }
};

std::uint32_t band_tag(std::span<const std::uint16_t> signature, std::size_t band) {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(signature.data() + band * kBandRows,
                                                         kBandRows * sizeof signature[0], band));
}

}  // namespace

ContentHash content_hash(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  // All zeros mark an empty slot.
  return {hash.low64, hash.high64 == 0 ? 1 : hash.high64};
}

void append_signature(std::string_view text, std::vector<std::uint16_t>& signature) {
  static const HashFunctions functions;
  std::vector<std::uint32_t> words;
  std::string lower;
  for (const std::string_view word : words_of(text)) words.push_back(word_hash(word, lower));
  std::array<std::uint32_t, kSignature> least;
  least.fill(UINT32_MAX);
  const std::size_t length = std::min(kShingleWords, words.size());
  for (std::size_t at = 0; at + length <= words.size() && length > 0; ++at) {
    const auto x =
        static_cast<std::uint32_t>(XXH3_64bits(words.data() + at, length * sizeof words[0]));
    for (std::size_t k = 0; k < kSignature; ++k) {
      std::uint32_t value = (x + functions.add[k]) * functions.multiply[k];
      value ^= value >> 15;
      least[k] = std::min(least[k], value);
    }
  }
  for (const std::uint32_t value : least) signature.push_back(static_cast<std::uint16_t>(value));
}

struct DuplicateIndex::State {
  using Signature = std::array<std::uint16_t, kSignature>;

  std::uint64_t signature_bytes() const {
    return chunks.size() * kChunkDocuments * sizeof(Signature);
  }
  const Signature& signature_of(std::uint32_t document) const {
    return (*chunks[document / kChunkDocuments])[document % kChunkDocuments];
  }
  bool is_near(std::span<const std::uint16_t> signature) const {
    for (std::size_t band = 0; band < kBands; ++band) {
      const BandSlot key{band_tag(signature, band), 0};
      std::size_t candidates = 0;
      bool near = false;
      bands.any_from(key, [&](const BandSlot& slot) {
        if (slot.tag != key.tag) return false;
        const Signature& other = signature_of(slot.document - 1);
        std::size_t equal = 0;
        for (std::size_t k = 0; k < kSignature; ++k) equal += signature[k] == other[k] ? 1 : 0;
        near = static_cast<double>(equal) >= rules.near * static_cast<double>(kSignature);
        return near || ++candidates == kMaxCandidates;
      });
      if (near) return true;
    }
    return false;
  }
  void remember(std::span<const std::uint16_t> signature) {
    if (documents % kChunkDocuments == 0) {
      chunks.push_back(std::make_unique<std::array<Signature, kChunkDocuments>>());
    }
    std::copy(signature.begin(), signature.end(),
              (*chunks.back())[documents % kChunkDocuments].begin());
    ++documents;
    for (std::size_t band = 0; band < kBands; ++band) {
      const BandSlot slot{band_tag(signature, band), static_cast<std::uint32_t>(documents)};
      if (!is_common(slot)) bands.put(slot);
    }
  }
  // Whether later slots of its tag are never looked at; the table's chains stay short without them.
  bool is_common(const BandSlot& slot) const {
    std::size_t equal = 0;
    return bands.any_from(slot, [&](const BandSlot& other) {
      return other.tag == slot.tag && ++equal == kMaxCandidates;
    });
  }

  DuplicateRules rules;
  OpenTable<ContentSlot> contents;
  OpenTable<BandSlot> bands;
  std::vector<std::unique_ptr<std::array<Signature, kChunkDocuments>>> chunks;
  std::uint64_t documents = 0;  // with signatures
};

DuplicateIndex::DuplicateIndex(const DuplicateRules& rules) : state_(std::make_unique<State>()) {
  state_->rules = rules;
}
DuplicateIndex::~DuplicateIndex() = default;

std::uint64_t DuplicateIndex::bytes() const {
  return state_->contents.bytes() + state_->bands.bytes() + state_->signature_bytes();
}

const char* DuplicateIndex::add(const ContentHash& content,
                                std::span<const std::uint16_t> signature) {
  State& s = *state_;
  const ContentSlot key{content};
  const auto same = [&](const ContentSlot& slot) { return slot.hash == content; };
  if (s.rules.exact && s.contents.any_from(key, same)) return "exact duplicate";
  if (s.rules.near > 0 && s.is_near(signature)) return "near duplicate";
  const std::uint64_t need =
      s.contents.bytes_after_put() + s.bands.bytes_after_put() + s.signature_bytes() +
      (s.documents % kChunkDocuments == 0 ? kChunkDocuments * sizeof(State::Signature) : 0);
  if (need > s.rules.max_bytes || s.documents >= UINT32_MAX - 1) {
    fail(ExitCode::kOutOfMemory, "finding duplicates needs ", format_bytes(need),
         " of memory for the documents so far, at most ", format_bytes(s.rules.max_bytes),
         " are allowed. Raise --dedup-memory");
  }
  if (s.rules.exact) s.contents.put(key);
  if (s.rules.near > 0) s.remember(signature);
  return nullptr;
}

}  // namespace pretrain
