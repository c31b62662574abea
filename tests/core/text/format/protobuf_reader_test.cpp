#include "core/text/format/protobuf_reader.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace pretrain {
namespace {

using namespace std::string_view_literals;

// Error code of reading all fields, each as what its wire type says.
ExitCode read_all(std::string_view bytes) {
  try {
    for (ProtobufReader field(bytes, "x.model"); field.next();) {
    }
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::kOk;
}

TEST(ProtobufReader, ReadsFields) {
  ProtobufReader field("\x08\xAC\x02\x12\x02hi\x1D\0\0\xC0\xBF\x20\x01"sv, "x.model");
  ASSERT_TRUE(field.next());
  EXPECT_EQ(field.number(), 1u);
  EXPECT_EQ(field.whole("a"), 300u);
  ASSERT_TRUE(field.next());
  EXPECT_EQ(field.bytes("b"), "hi");
  ASSERT_TRUE(field.next());
  EXPECT_EQ(field.real("c"), -1.5f);
  ASSERT_TRUE(field.next());
  EXPECT_TRUE(field.flag("d"));
  EXPECT_FALSE(field.next());
}

TEST(ProtobufReader, RefusesWhatIsBroken) {
  EXPECT_EQ(read_all(""), ExitCode::kOk);
  EXPECT_EQ(read_all("\x08"), ExitCode::kBadData);          // no value
  EXPECT_EQ(read_all("\x08\x80"), ExitCode::kBadData);      // a number without end
  EXPECT_EQ(read_all("\x12\x05hi"), ExitCode::kBadData);    // fewer bytes than announced
  EXPECT_EQ(read_all("\x1D\x01\x01"), ExitCode::kBadData);  // three bytes missing
  EXPECT_EQ(read_all("\x0B"), ExitCode::kBadData);          // a group
  EXPECT_EQ(read_all("\0\x01"sv), ExitCode::kBadData);      // field 0
  EXPECT_EQ(read_all("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"), ExitCode::kBadData);
  EXPECT_EQ(read_all("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), ExitCode::kBadData);
}

TEST(ProtobufReader, RefusesAnotherKind) {
  ProtobufReader field("\x08\x02", "x.model");
  ASSERT_TRUE(field.next());
  EXPECT_THROW(field.bytes("a"), Error);
  EXPECT_THROW(field.real("a"), Error);
  EXPECT_THROW(field.flag("a"), Error);  // 2
}

}  // namespace
}  // namespace pretrain
