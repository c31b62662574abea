#include "tests/core/metrics/event_file_reader.h"

#include <bit>
#include <stdexcept>

namespace pretrain::testing {

ProtoMessage::ProtoMessage(std::string_view in) {
  while (!in.empty()) {
    const std::uint64_t key = take_varint(in);
    switch (key & 7) {
      case 0:
        numbers[key >> 3].push_back(take_varint(in));
        break;
      case 1:
        numbers[key >> 3].push_back(take_fixed(in, 8));
        break;
      case 2:
        bytes[key >> 3].push_back(std::string(take(in, take_varint(in))));
        break;
      case 5:
        numbers[key >> 3].push_back(take_fixed(in, 4));
        break;
      default:
        throw std::runtime_error("wire type");
    }
  }
}

std::string_view ProtoMessage::take(std::string_view& in, std::uint64_t size) {
  if (size > in.size()) throw std::runtime_error("message cut off");
  const std::string_view part = in.substr(0, size);
  in.remove_prefix(size);
  return part;
}

std::uint64_t ProtoMessage::take_fixed(std::string_view& in, std::uint64_t size) {
  std::uint64_t value = 0;
  const std::string_view part = take(in, size);
  for (std::size_t i = size; i-- > 0;) value = value * 256 + static_cast<unsigned char>(part[i]);
  return value;
}

std::uint64_t ProtoMessage::take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(in, 1)[0]);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

namespace {

// CRC-32C bit by bit, straight from its polynomial.
std::uint32_t slow_masked_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      const bool odd = (crc & 1u) != 0;
      crc >>= 1;
      if (odd) crc ^= 0x82F63B78u;
    }
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

}  // namespace

std::vector<ReadEvent> read_events(std::string_view in) {
  std::vector<ReadEvent> events;
  while (!in.empty()) {
    const std::string_view length_bytes = in.substr(0, 8);
    const std::uint64_t length = ProtoMessage::take_fixed(in, 8);
    if (ProtoMessage::take_fixed(in, 4) != slow_masked_crc(length_bytes)) {
      throw std::runtime_error("length sum");
    }
    const std::string_view payload = ProtoMessage::take(in, length);
    if (ProtoMessage::take_fixed(in, 4) != slow_masked_crc(payload)) {
      throw std::runtime_error("payload sum");
    }
    ProtoMessage message(payload);
    ReadEvent event;
    event.wall_time = std::bit_cast<double>(message.numbers.at(1).at(0));
    if (message.numbers.contains(2)) event.step = message.numbers.at(2).at(0);
    if (message.bytes.contains(3)) event.file_version = message.bytes.at(3).at(0);
    if (message.bytes.contains(7)) {
      event.session_status = ProtoMessage(message.bytes.at(7).at(0)).numbers.at(1).at(0);
    }
    for (const std::string& summary : message.bytes[5]) {
      const ProtoMessage values(summary);
      for (const std::string& bytes : values.bytes.at(1)) {
        ProtoMessage value(bytes);
        event.scalars[value.bytes.at(1).at(0)] =
            std::bit_cast<float>(static_cast<std::uint32_t>(value.numbers.at(2).at(0)));
      }
    }
    events.push_back(event);
  }
  return events;
}

}  // namespace pretrain::testing
