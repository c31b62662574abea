#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pretrain {

/// SHA-256 of `bytes` as 64 lower-case hex digits. Used where identity matters.
std::string sha256_hex(std::string_view bytes);
/// XXH3-128 of `bytes` as 32 lower-case hex digits. Used against accidents, at memory speed.
std::string xxh3_128_hex(std::span<const std::byte> bytes);

/// Both digests of a stream of bytes. Not thread-safe.
class StreamDigest {
 public:
  StreamDigest();
  ~StreamDigest();
  StreamDigest(const StreamDigest&) = delete;
  StreamDigest& operator=(const StreamDigest&) = delete;

  void update(std::span<const std::byte> bytes);
  /// Digests of all bytes so far; more updates may follow.
  std::string sha256() const;
  std::string xxh3_128() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pretrain
