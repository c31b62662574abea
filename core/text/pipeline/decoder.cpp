#include "core/text/pipeline/decoder.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/text/tokenizer_json.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

void fuse(std::vector<std::string>& tokens) {
  std::string all;
  for (const std::string& token : tokens) all += token;
  tokens.assign(1, std::move(all));
}

class ByteLevelDecoder : public TokenDecoder {
 public:
  ByteLevelDecoder() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      byte_of_.emplace(byte_symbol(static_cast<unsigned char>(byte)), static_cast<char>(byte));
    }
  }

  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      if (auto bytes = bytes_of(token)) token = std::move(*bytes);
    }
    fuse(tokens);
  }

 private:
  std::optional<std::string> bytes_of(const std::string& token) const {
    std::string bytes;
    for (std::size_t end = 0; end < token.size();) {
      const std::size_t begin = end;
      next_code_point(token, end);
      const auto found = byte_of_.find(token.substr(begin, end - begin));
      if (found == byte_of_.end()) return std::nullopt;
      bytes.push_back(found->second);
    }
    return bytes;
  }

  std::unordered_map<std::string, char> byte_of_;
};

class WordPieceDecoder : public TokenDecoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup)
      : prefix_(std::move(prefix)), cleanup_(cleanup) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) {
        if (tokens[i].starts_with(prefix_)) {
          tokens[i].erase(0, prefix_.size());
        } else {
          tokens[i].insert(0, " ");
        }
      }
      if (cleanup_) clean_up(tokens[i]);
    }
  }

 private:
  static void clean_up(std::string& token) {
    constexpr std::pair<std::string_view, std::string_view> kReplacements[] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : kReplacements) replace_all(token, from, to);
  }

  std::string prefix_;
  bool cleanup_;
};

class MetaspaceDecoder : public TokenDecoder {
 public:
  MetaspaceDecoder(std::string mark, bool prepended)
      : mark_(std::move(mark)), prepended_(prepended) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], mark_, i == 0 && prepended_ ? "" : " ");
    }
  }

 private:
  std::string mark_;
  bool prepended_;
};

class BpeDecoder : public TokenDecoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

class ByteFallbackDecoder : public TokenDecoder {
 public:
  void decode(std::vector<std::string>& tokens) const override {
    std::vector<std::string> texts;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (find_invalid_utf8(bytes)) {
        texts.insert(texts.end(), bytes.size(), "\uFFFD");
      } else {
        texts.push_back(bytes);
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes.push_back(*byte);
      } else {
        flush();
        texts.push_back(std::move(token));
      }
    }
    flush();
    tokens.swap(texts);
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    unsigned char byte = 0;
    const char* end = token.data() + 5;
    if (std::from_chars(token.data() + 3, end, byte, 16).ptr != end) return std::nullopt;
    return static_cast<char>(byte);
  }
};

class FuseDecoder : public TokenDecoder {
 public:
  void decode(std::vector<std::string>& tokens) const override { fuse(tokens); }
};

class StripDecoder : public TokenDecoder {
 public:
  StripDecoder(std::string character, std::uint64_t start, std::uint64_t stop)
      : character_(std::move(character)), start_(start), stop_(stop) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view left = token;
      for (std::uint64_t n = 0; n < start_ && left.starts_with(character_); ++n) {
        left.remove_prefix(character_.size());
      }
      for (std::uint64_t n = 0; n < stop_ && left.ends_with(character_); ++n) {
        left.remove_suffix(character_.size());
      }
      token = std::string(left);
    }
  }

 private:
  std::string character_;
  std::uint64_t start_;
  std::uint64_t stop_;
};

class ReplaceDecoder : public TokenDecoder {
 public:
  ReplaceDecoder(std::string text, std::string by) : text_(std::move(text)), by_(std::move(by)) {}
  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) replace_all(token, text_, by_);
  }

 private:
  std::string text_;
  std::string by_;
};

class DecoderSequence : public TokenDecoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<TokenDecoder>> parts)
      : parts_(std::move(parts)) {}
  void decode(std::vector<std::string>& tokens) const override {
    for (const auto& part : parts_) part->decode(tokens);
  }

 private:
  std::vector<std::unique_ptr<TokenDecoder>> parts_;
};

}  // namespace

std::unique_ptr<TokenDecoder> make_byte_level_decoder() {
  return std::make_unique<ByteLevelDecoder>();
}

std::unique_ptr<TokenDecoder> make_word_piece_decoder(std::string prefix, bool cleanup) {
  return std::make_unique<WordPieceDecoder>(std::move(prefix), cleanup);
}

std::unique_ptr<TokenDecoder> make_metaspace_decoder(std::string mark, bool prepended) {
  return std::make_unique<MetaspaceDecoder>(std::move(mark), prepended);
}

std::unique_ptr<TokenDecoder> make_bpe_decoder(std::string suffix) {
  return std::make_unique<BpeDecoder>(std::move(suffix));
}

std::unique_ptr<TokenDecoder> make_byte_fallback_decoder() {
  return std::make_unique<ByteFallbackDecoder>();
}

std::unique_ptr<TokenDecoder> make_fuse_decoder() { return std::make_unique<FuseDecoder>(); }

std::unique_ptr<TokenDecoder> make_strip_decoder(std::string character, std::uint64_t start,
                                                 std::uint64_t stop) {
  return std::make_unique<StripDecoder>(std::move(character), start, stop);
}

std::unique_ptr<TokenDecoder> make_replace_decoder(std::string text, std::string by) {
  return std::make_unique<ReplaceDecoder>(std::move(text), std::move(by));
}

std::unique_ptr<TokenDecoder> make_decoder_sequence(
    std::vector<std::unique_ptr<TokenDecoder>> parts) {
  return std::make_unique<DecoderSequence>(std::move(parts));
}

}  // namespace pretrain
