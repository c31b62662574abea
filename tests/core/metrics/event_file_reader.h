#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain::testing {

/// A protobuf message taken apart: field number -> values in order. Numbers are kept as their
/// bits, byte fields as bytes. Written from the wire format alone, apart from the encoder it tests.
struct ProtoMessage {
  std::map<std::uint64_t, std::vector<std::uint64_t>> numbers;
  std::map<std::uint64_t, std::vector<std::string>> bytes;

  explicit ProtoMessage(std::string_view in);

  /// Take the first bytes off `in`; std::runtime_error where it is shorter.
  static std::string_view take(std::string_view& in, std::uint64_t size);
  static std::uint64_t take_fixed(std::string_view& in, std::uint64_t size);
  static std::uint64_t take_varint(std::string_view& in);
};

/// One event of a file.
struct ReadEvent {
  double wall_time = 0;
  std::uint64_t step = 0;
  std::string file_version;
  std::optional<std::uint64_t> session_status;
  std::map<std::string, float> scalars;
};

/// Reads the TFRecord frames of a file, checks their sums and takes their events apart.
std::vector<ReadEvent> read_events(std::string_view in);

}  // namespace pretrain::testing
