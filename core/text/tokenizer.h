#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// The bytes [begin, end) of a text that a token stands for.
struct TextSpan {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const TextSpan&) const = default;
};

/// Text to token ids and back. Immutable after construction, so safe to share between threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Number of ids, specials included; every id is in [0, vocab_size()).
  virtual std::int64_t vocab_size() const = 0;
  /// Id that closes a document; -1: the vocabulary has none.
  virtual std::int64_t eos_id() const = 0;
  /// Id of the token for what the vocabulary cannot express; -1: there is none. It counts among the
  /// special tokens, though it may come out of encode.
  virtual std::int64_t unk_id() const { return -1; }
  /// Id of the special token with exactly this text; nullopt: there is none (ordinary symbols are
  /// not looked up).
  virtual std::optional<std::uint32_t> id_of(std::string_view token) const = 0;
  /// Ids of all special tokens, the end token included, ascending.
  virtual std::vector<std::uint32_t> special_ids() const = 0;
  /// Appends the ids of `text` (UTF-8) to `ids`. Special tokens are neither added nor recognised:
  /// `<|endoftext|>` written in a document is ordinary text. Throws kBadData naming the byte offset
  /// where the text cannot be expressed.
  virtual void encode(std::string_view text, std::vector<std::uint32_t>& ids) const = 0;
  /// The same, and for each id appended the bytes of `text` that it stands for. Slower: for tools
  /// that map tokens back to the text.
  virtual void encode_with_spans(std::string_view text, std::vector<std::uint32_t>& ids,
                                 std::vector<TextSpan>& spans) const = 0;
  /// Bytes of the ids; special tokens give nothing. Throws kBadData for an id out of range.
  virtual std::string decode(const std::vector<std::uint32_t>& ids) const = 0;
  /// The tokenizer.json text (Hugging Face format) that from_json reads back to an equal tokenizer.
  virtual std::string to_json() const = 0;
  /// SHA-256 of canonical JSON (sorted keys, no blanks) of model, normalizer, pre-tokenizer,
  /// post-processor and added tokens: equal digests mean equal ids for every text.
  std::string sha256() const;
};

/// Text of the special token that closes documents.
inline constexpr const char* kEndOfText = "<|endoftext|>";
/// Largest tokenizer.json that is read, in bytes.
inline constexpr std::uint64_t kMaxTokenizerJson = std::uint64_t{128} << 20;

/// Reads a tokenizer.json text; `place` names it in messages. Throws kBadData naming what is not
/// understood.
std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json, const std::string& place);
/// The 256 bytes, `<|endoftext|>` (id 256), then the texts of `specials` in their order. Lossless
/// for any bytes. `has_marks`: its file says that [CLS] and [SEP], if both are there, stand round a
/// text, for whoever reads it with another library. Throws kUsage naming a special that is empty,
/// no valid UTF-8, given twice,
/// `<|endoftext|>`, or the symbol of a byte.
std::unique_ptr<Tokenizer> make_byte_tokenizer(const std::vector<std::string>& specials = {},
                                               bool has_marks = true);
/// One id per given Unicode code point, in ascending order, `<|endoftext|>` if `with_eos`, then the
/// texts of `specials` in their order. Throws kBadData if there is no code point, or a number is no
/// Unicode scalar; kUsage for specials as above, or one that is a character of the vocabulary.
std::unique_ptr<Tokenizer> make_char_tokenizer(const std::vector<std::uint32_t>& code_points,
                                               bool with_eos,
                                               const std::vector<std::string>& specials = {},
                                               bool has_marks = true);

}  // namespace pretrain
