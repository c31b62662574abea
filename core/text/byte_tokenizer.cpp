#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kEos = 256;

class ByteTokenizer : public Tokenizer {
 public:
  std::int64_t vocab_size() const override { return kEos + 1; }
  std::int64_t eos_id() const override { return kEos; }

  void encode(std::string_view text, std::vector<std::uint32_t>& ids) const override {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    ids.insert(ids.end(), bytes, bytes + text.size());
  }

  std::string decode(const std::vector<std::uint32_t>& ids) const override {
    std::string text;
    text.reserve(ids.size());
    for (std::uint32_t id : ids) {
      if (id > kEos) fail(ExitCode::kBadData, "byte tokenizer: id ", id, ", expected 0 to ", kEos);
      if (id < kEos) text.push_back(static_cast<char>(id));
    }
    return text;
  }

  std::string to_json() const override {
    PlainBpe bpe{.vocabulary = {}, .byte_level = true, .with_eos = true};
    for (unsigned byte = 0; byte < kEos; ++byte) {
      bpe.vocabulary.push_back(byte_symbol(static_cast<unsigned char>(byte)));
    }
    return write_tokenizer_json(bpe);
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

}  // namespace pretrain
