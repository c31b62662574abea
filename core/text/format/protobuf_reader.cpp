#include "core/text/format/protobuf_reader.h"

#include <bit>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr unsigned kVarint = 0;
constexpr unsigned kEightBytes = 1;
constexpr unsigned kLengthAndBytes = 2;
constexpr unsigned kFourBytes = 5;

}  // namespace

bool ProtobufReader::next() {
  if (at_ == bytes_.size()) return false;
  const std::uint64_t tag = read_varint();
  number_ = tag >> 3;
  kind_ = static_cast<unsigned>(tag & 7);
  if (number_ == 0 || number_ >= (1u << 29)) refuse(concat("field number ", number_));
  switch (kind_) {
    case kVarint:
      whole_ = read_varint();
      break;
    case kEightBytes:
      value_ = take(8);
      break;
    case kLengthAndBytes:
      value_ = take(read_varint());
      break;
    case kFourBytes:
      value_ = take(4);
      break;
    default:
      refuse(concat("wire type ", kind_));
  }
  return true;
}

std::uint64_t ProtobufReader::whole(const char* name) const {
  expect(kVarint, name);
  return whole_;
}

bool ProtobufReader::flag(const char* name) const {
  const std::uint64_t value = whole(name);
  if (value > 1) refuse(concat("field ", name, " is ", value, ", expected 0 or 1"));
  return value == 1;
}

float ProtobufReader::real(const char* name) const {
  expect(kFourBytes, name);
  std::uint32_t bits = 0;
  for (std::size_t i = 4; i-- > 0;) bits = (bits << 8) | static_cast<unsigned char>(value_[i]);
  return std::bit_cast<float>(bits);
}

std::string_view ProtobufReader::bytes(const char* name) const {
  expect(kLengthAndBytes, name);
  return value_;
}

std::uint64_t ProtobufReader::read_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  refuse("a number of more than ten bytes");
}

std::string_view ProtobufReader::take(std::uint64_t size) {
  if (size > bytes_.size() - at_) {
    refuse(concat(size, " bytes announced, ", bytes_.size() - at_, " left"));
  }
  const std::string_view taken = bytes_.substr(at_, size);
  at_ += size;
  return taken;
}

void ProtobufReader::expect(unsigned kind, const char* name) const {
  if (kind_ != kind) {
    refuse(concat("field ", name, " has wire type ", kind_, ", expected ", kind));
  }
}

void ProtobufReader::refuse(const std::string& what) const {
  fail(ExitCode::kBadData, place_, ": before byte ", at_, ": ", what,
       ". The file is damaged or no SentencePiece model");
}

}  // namespace pretrain
