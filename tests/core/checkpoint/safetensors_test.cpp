#include "core/checkpoint/safetensors.h"

#include <sys/wait.h>

#include <cstring>
#include <functional>

#include "core/base/digest.h"
#include "core/base/random.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::expect_error;
using testing::read_file;
using testing::ScratchFolder;
using testing::write_file;

/// The bytes of a file with this header text and data.
std::string file_bytes(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  const std::uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + data;
}

class SafetensorsTest : public ::testing::Test {
 protected:
  void expect_refused(const std::string& bytes, const std::string& part) {
    write_file(scratch_ / "bad", bytes);
    expect_error(ExitCode::kBadData, part, [&] { SafetensorsFile(directory_, "bad"); });
  }
  std::string tensor_bytes(const SafetensorsFile& file, const std::string& name) {
    const TensorInfo& info = file.tensors().at(name);
    std::string bytes(info.end - info.begin, '\0');
    file.read(info, 0, std::as_writable_bytes(std::span(bytes)));
    return bytes;
  }
  std::span<const std::byte> view(const std::string& text) {
    return std::as_bytes(std::span(text));
  }
  ScratchFolder scratch_;
  Directory directory_ = Directory::open(scratch_.path());
};

TEST_F(SafetensorsTest, RoundTrip) {
  const std::string a(24, 'a');
  const std::string b(6, 'b');
  const std::string scalar(8, 's');
  const std::vector<TensorView> tensors = {{"weight", "F32", {2, 3}, view(a)},
                                           {"half", "BF16", {3}, view(b)},
                                           {"none", "F32", {0, 7}, {}},
                                           {"scalar \xc3\xa9\"", "I64", {}, view(scalar)}};
  const FileDigest written = write_safetensors(directory_, "file", tensors);
  const std::string bytes = read_file(scratch_ / "file");
  EXPECT_EQ(written.bytes, bytes.size());
  EXPECT_EQ(written.bytes, safetensors_file_bytes(tensors));
  EXPECT_EQ(written.sha256, sha256_hex(bytes));
  EXPECT_EQ(written.xxh3_128, xxh3_128_hex(view(bytes)));
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ(header % 8, 0u);

  const SafetensorsFile file(directory_, "file");
  ASSERT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.tensors().at("half").shape, std::vector<std::int64_t>{3});
  EXPECT_EQ(tensor_bytes(file, "weight"), a);
  EXPECT_EQ(tensor_bytes(file, "half"), b);
  EXPECT_EQ(tensor_bytes(file, "none"), "");
  EXPECT_EQ(tensor_bytes(file, "scalar \xc3\xa9\""), scalar);
  std::byte byte;
  expect_error(ExitCode::kBadData, "bytes 24 to 25 asked of a tensor of 24",
               [&] { file.read(file.tensors().at("weight"), 24, std::span(&byte, 1)); });
}

TEST_F(SafetensorsTest, NoTensorsIsAFileToo) {
  write_safetensors(directory_, "empty", {});
  EXPECT_TRUE(SafetensorsFile(directory_, "empty").tensors().empty());
}

TEST_F(SafetensorsTest, TheFormatsOwnReaderAgrees) {
  const std::string values = "\x01\x02\x03\x04\x05\x06\x07\x08";
  write_safetensors(directory_, "file.safetensors",
                    {{"w", "I32", {2}, view(values)}, {"b", "U8", {2, 2}, view(values).first(4)}});
  const std::string script =
      "import sys\n"
      "try:\n  from safetensors.numpy import load_file\nexcept ImportError:\n  sys.exit(77)\n"
      "t = load_file(sys.argv[1])\n"
      "assert t['w'].tolist() == [0x04030201, 0x08070605] and t['b'].tolist() == [[1, 2], [3, "
      "4]]\n";
  write_file(scratch_ / "check.py", script);
  const int status = std::system(
      concat("python3 ", scratch_ / "check.py", " ", scratch_ / "file.safetensors").c_str());
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "needs the Python package safetensors";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SafetensorsTest, WriterRefusesWhatItsReaderWould) {
  const std::string four(4, 'x');
  const auto write = [&](std::vector<TensorView> tensors) {
    return [this, tensors = std::move(tensors)] { write_safetensors(directory_, "f", tensors); };
  };
  expect_error(ExitCode::kInternal, "do not fit", write({{"a", "F32", {2}, view(four)}}));
  expect_error(ExitCode::kInternal, "unique",
               write({{"a", "F32", {1}, view(four)}, {"a", "F32", {1}, view(four)}}));
  expect_error(ExitCode::kInternal, "unique", write({{"__metadata__", "F32", {1}, view(four)}}));
  expect_error(ExitCode::kBadData, "F12 is not known", write({{"a", "F12", {1}, view(four)}}));
  EXPECT_TRUE(directory_.list().empty());
}

TEST_F(SafetensorsTest, EachHeaderRule) {
  const auto one = [](const std::string& entry) { return concat("{\"a\":", entry, "}"); };
  const std::string good = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  write_file(scratch_ / "good", file_bytes(one(good), "1234"));
  EXPECT_EQ(tensor_bytes(SafetensorsFile(directory_, "good"), "a"), "1234");

  expect_refused("1234567", "has 7 bytes");
  expect_refused(file_bytes(one(good), "1234").substr(0, 40), "longer than the file");
  expect_refused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "longer than the file");
  expect_refused(std::string("\x01\xe1\xf5\x05\x00\x00\x00\x00{}", 10), "100000001");
  expect_refused(file_bytes(concat(" ", one(good)), "1234"), "no JSON object");
  expect_refused(file_bytes("[1]", ""), "no JSON object");
  expect_refused(file_bytes(concat(one(good), "x"), "1234"), "not valid JSON");
  expect_refused(file_bytes(concat("{\"\xff\":", good, "}"), "1234"), "not valid JSON");
  expect_refused(file_bytes(concat("{\"a\":", good, ",\"a\":", good, "}"), "1234"), "twice");
  expect_refused(file_bytes(concat("{\"__metadata__\":{\"a\":1},\"a\":", good, "}"), "1234"),
                 "__metadata__: a: expected a text");
  expect_refused(file_bytes(concat("{\"\":", good, "}"), "1234"), "printable");
  expect_refused(file_bytes(concat("{\"a\\n\":", good, "}"), "1234"), "printable");
  expect_refused(file_bytes(concat("{\"", std::string(513, 'n'), "\":", good, "}"), "1234"),
                 "printable");
  const auto entry = [&](const char* dtype, const char* shape, const char* offsets) {
    return file_bytes(one(concat(R"({"dtype":)", dtype, R"(,"shape":)", shape,
                                 R"(,"data_offsets":)", offsets, "}")),
                      "1234");
  };
  expect_refused(entry(R"("F31")", "[1]", "[0,4]"), "F31 is not known");
  expect_refused(entry("4", "[1]", "[0,4]"), "dtype: expected a text");
  expect_refused(entry(R"("F32")", "[-1]", "[0,4]"), "expected a whole number");
  expect_refused(entry(R"("F32")", "[1.0]", "[0,4]"), "expected a whole number");
  expect_refused(entry(R"("F32")", "[1]", "[0,4,4]"), "expected [begin, end]");
  expect_refused(entry(R"("F32")", "[1]", "[-4,0]"), "expected a whole number");
  expect_refused(entry(R"("F32")", "[1]", "[4,0]"), "do not span");
  expect_refused(entry(R"("F32")", "[2]", "[0,4]"), "do not span");
  expect_refused(entry(R"("F32")", "[1]", "[4,8]"), "hole or overlap");
  expect_refused(entry(R"("F32")", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"), "dimensions");
  // Products that wrap around to a plausible size.
  expect_refused(entry(R"("F32")", "[4294967296,4294967296]", "[0,0]"), "below 2^64");
  expect_refused(entry(R"("F32")", "[4611686018427387905]", "[0,4]"), "does not fit 64 bits");
  expect_refused(entry(R"("F32")", "[18446744073709551615]", "[0,4]"), "63 bits");
  expect_refused(
      file_bytes(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":0})"), "1234"),
      "x: is not a member");
  expect_refused(file_bytes(one(R"({"dtype":"F32","shape":[1]})"), "1234"),
                 "data_offsets is missing");
  expect_refused(file_bytes(one(good), "12345"), "the file has 5 bytes of data");
  expect_refused(file_bytes(one(good), "123"), "the file has 3 bytes of data");
  const std::string later = R"({"dtype":"F32","shape":[1],"data_offsets":[8,12]})";
  expect_refused(file_bytes(concat("{\"a\":", good, ",\"b\":", later, "}"), std::string(12, 'x')),
                 "hole or overlap at byte 4");
  const std::string over = R"({"dtype":"F32","shape":[1],"data_offsets":[2,6]})";
  expect_refused(file_bytes(concat("{\"a\":", good, ",\"b\":", over, "}"), std::string(6, 'x')),
                 "hole or overlap at byte 2");
}

TEST_F(SafetensorsTest, MutationsCrashNothingAndNeverPassTheDigest) {
  const std::string data(64, 'd');
  const FileDigest written = write_safetensors(directory_, "good",
                                               {{"a.weight", "F32", {4, 2}, view(data).first(32)},
                                                {"a.bias", "BF16", {16}, view(data).last(32)}});
  const std::string good = read_file(scratch_ / "good");
  RandomStream random(1, RandomPurpose::kTest, 16);
  int opened = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string bytes = good;
    const int edits = 1 + static_cast<int>(random.below(4));
    for (int e = 0; e < edits; ++e) {
      const std::size_t at = random.below(bytes.size());
      switch (random.below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          bytes.erase(at, 1 + random.below(8));
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>("0123456789[]{},:\"-"[random.below(18)]));
          break;
        default:
          bytes[random.below(8)] = static_cast<char>(random.below(256));
      }
      if (bytes.size() < 16) bytes = good;
    }
    if (bytes == good) continue;
    EXPECT_NE(xxh3_128_hex(view(bytes)), written.xxh3_128);
    write_file(scratch_ / "bad", bytes);
    try {
      const SafetensorsFile file(directory_, "bad");
      for (const auto& [name, info] : file.tensors()) tensor_bytes(file, name);
      ++opened;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData) << error.what();
    }
  }
  // Flips in the data alone leave a sound header.
  EXPECT_GT(opened, 0);
  EXPECT_LT(opened, 10000);
}

}  // namespace
}  // namespace pretrain
