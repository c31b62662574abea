#include "core/metrics/event_writer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "core/metrics/metrics_record.h"

namespace pretrain {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78u : 0u);
    }
    table[i] = value;
  }
  return table;
}

template <class Unsigned>
std::string little_endian(Unsigned value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
  return bytes;
}

std::string masked_crc(std::string_view bytes) {
  return little_endian(std::rotr(crc32c(bytes), 15) + 0xA282EAD8u);
}

// Protobuf wire format: a field is (number << 3 | type) and its value.
// https://protobuf.dev/programming-guides/encoding
enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes += static_cast<char>(value);
}
std::string key(std::uint64_t field, WireType type) { return varint(field << 3 | type); }
std::string double_field(std::uint64_t field, double value) {
  return key(field, kFixed64) + little_endian(std::bit_cast<std::uint64_t>(value));
}
std::string float_field(std::uint64_t field, float value) {
  return key(field, kFixed32) + little_endian(std::bit_cast<std::uint32_t>(value));
}
std::string varint_field(std::uint64_t field, std::int64_t value) {
  return key(field, kVarint) + varint(static_cast<std::uint64_t>(value));
}
std::string bytes_field(std::uint64_t field, std::string_view value) {
  return key(field, kBytes) + varint(value.size()) + std::string(value);
}

// Field numbers of tensorboard/compat/proto/{event,summary}.proto.
std::string event(double t, std::int64_t step, const std::string& what) {
  return double_field(1, t) + varint_field(2, step) + what;
}
std::string file_version() { return bytes_field(3, "brain.Event:2"); }
std::string session_start() { return bytes_field(7, varint_field(1, 1)); }
std::string scalar(std::string_view tag, double value) {
  return bytes_field(1, bytes_field(1, tag) + float_field(2, static_cast<float>(value)));
}

std::string next_path(const std::string& folder, const std::string& host) {
  auto seconds = static_cast<std::int64_t>(utc_seconds());
  std::int64_t older = 0;
  std::error_code error;  // a folder that is missing or cannot be read has no older files
  const std::filesystem::directory_iterator end;
  for (std::filesystem::directory_iterator it(folder, error); !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    ++older;
    std::int64_t taken = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), taken);
    // A damaged name must not carry the time out of its ten digits.
    if (taken < 9'000'000'000) seconds = std::max(seconds, taken + 1);
  }
  return concat(folder, "/", kPrefix, seconds, ".", host, ".", getpid(), ".", older);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t crc = ~0u;
  for (const char c : bytes)
    crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

EventWriter::EventWriter(const std::string& folder, const std::string& host,
                         std::optional<std::int64_t> resumed_at, SinkLost on_lost)
    : sink_(next_path(folder, host), std::move(on_lost)) {
  append_record(double_field(1, utc_seconds()) + file_version());
  // TensorBoard drops the older events from the step of this record on.
  if (resumed_at) append_record(event(utc_seconds(), *resumed_at + 1, session_start()));
}

void EventWriter::write(double t, std::int64_t step,
                        const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) summary += scalar(tag, value);
  append_record(event(t, step, bytes_field(5, summary)));
}

void EventWriter::append_record(std::string_view payload) {
  const std::string length = little_endian(std::uint64_t{payload.size()});
  sink_.append(length + masked_crc(length) + std::string(payload) + masked_crc(payload));
}

}  // namespace pretrain
