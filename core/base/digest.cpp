#include "core/base/digest.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <array>

#include "core/base/error.h"

namespace pretrain {
namespace {

std::string hex(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string hex(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return hex(std::span<const unsigned char>(canonical.digest));
}

void check(int ok) {
  if (ok != 1) fail(ExitCode::kInternal, "SHA-256: the crypto library refused the call");
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> out{};
  check(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha256(), nullptr));
  return hex(out);
}

std::string xxh3_128_hex(std::span<const std::byte> bytes) {
  return hex(XXH3_128bits(bytes.data(), bytes.size()));
}

struct StreamDigest::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> sha{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> xxh{XXH3_createState(), &XXH3_freeState};
};

StreamDigest::StreamDigest() : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex(state_->sha.get(), EVP_sha256(), nullptr));
  XXH3_128bits_reset(state_->xxh.get());
}

StreamDigest::~StreamDigest() = default;

void StreamDigest::update(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(state_->sha.get(), bytes.data(), bytes.size()));
  XXH3_128bits_update(state_->xxh.get(), bytes.data(), bytes.size());
}

std::string StreamDigest::sha256() const {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> copy(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  check(EVP_MD_CTX_copy_ex(copy.get(), state_->sha.get()));
  std::array<unsigned char, 32> out{};
  check(EVP_DigestFinal_ex(copy.get(), out.data(), nullptr));
  return hex(out);
}

std::string StreamDigest::xxh3_128() const { return hex(XXH3_128bits_digest(state_->xxh.get())); }

}  // namespace pretrain
