#include "core/base/files/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "core/base/error.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class MappedFileTest : public ::testing::Test {
 protected:
  MappedFileTest() {
    std::string pattern = (fs::temp_directory_path() / "mapped_file_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~MappedFileTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  static std::string message(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadData);
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
};

TEST_F(MappedFileTest, ShowsTheBytesAndKnowsTheirName) {
  const std::string path = write("a", "hello");
  const char* address = nullptr;
  {
    const MappedFile file(path);
    address = reinterpret_cast<const char*>(file.bytes().data());
    EXPECT_EQ(std::string(address, file.bytes().size()), "hello");
    EXPECT_STREQ(mapped_file_at(address + 4), path.c_str());
    EXPECT_EQ(mapped_file_at(address + 5), nullptr);
    file.advise_random(file.bytes());
    EXPECT_EQ(file.check_unchanged(), std::nullopt);
  }
  EXPECT_EQ(mapped_file_at(address), nullptr);
  EXPECT_TRUE(MappedFile(write("empty", "")).bytes().empty());
}

TEST_F(MappedFileTest, RefusesWhatIsNoFile) {
  EXPECT_THAT(message([&] { MappedFile file((folder_ / "none").string()); }),
              HasSubstr("none: cannot open"));
  EXPECT_THAT(message([&] { MappedFile file(folder_.string()); }), HasSubstr("regular file"));
  const std::string fifo = (folder_ / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(message([&] { MappedFile file(fifo); }), HasSubstr("regular file"));
}

TEST_F(MappedFileTest, NoticesChanges) {
  const std::string path = write("a", "hello");
  const MappedFile file(path);
  fs::rename(write("b", "other"), path);
  ASSERT_TRUE(file.check_unchanged().has_value());
  EXPECT_THAT(*file.check_unchanged(), HasSubstr("stays in use"));

  const MappedFile rewritten(path);
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1));
  EXPECT_THAT(message([&] { rewritten.check_unchanged(); }), HasSubstr("was written to"));
  const MappedFile shortened(path);
  fs::resize_file(path, 3);
  EXPECT_THAT(message([&] { shortened.check_unchanged(); }), HasSubstr("had 5 bytes, has 3"));
}

}  // namespace
}  // namespace pretrain
