#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pretrain {

/// The fields of one message in the wire format of Protocol Buffers, one after the other:
///     for (ProtobufReader field(bytes, place); field.next();) {
///       if (field.number() == 1) text = field.bytes("piece");
///     }
/// Bad input throws kBadData naming the place and the byte. Borrows the bytes.
class ProtobufReader {
 public:
  ProtobufReader(std::string_view bytes, std::string place)
      : bytes_(bytes), place_(std::move(place)) {}

  /// Goes to the next field; false if there is none.
  bool next();
  std::uint64_t number() const { return number_; }  ///< of the field
  /// The value of the field, which must be of that kind; `name` stands in messages.
  std::uint64_t whole(const char* name) const;
  bool flag(const char* name) const;  ///< 0 or 1
  float real(const char* name) const;
  std::string_view bytes(const char* name) const;  ///< a text, bytes or a message

 private:
  std::uint64_t read_varint();
  std::string_view take(std::uint64_t size);
  void expect(unsigned kind, const char* name) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string_view bytes_;
  std::string place_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0;
  unsigned kind_ = 0;  // wire type
  std::uint64_t whole_ = 0;
  std::string_view value_;
};

}  // namespace pretrain
