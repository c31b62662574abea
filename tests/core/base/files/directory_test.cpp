#include "core/base/files/directory.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <set>

#include "core/base/files/file_observer.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::expect_error;
using testing::read_file;
using testing::ScratchFolder;
using testing::write_file;

class DirectoryTest : public ::testing::Test {
 protected:
  ScratchFolder scratch_;
  Directory directory_ = Directory::open(scratch_.path());
};

TEST_F(DirectoryTest, WritesAllBytesOfALargeFileInParts) {
  std::string text(40'000'000, 'a');
  for (std::size_t i = 0; i < text.size(); i += 997) text[i] = static_cast<char>('a' + i % 26);
  std::set<std::uint64_t> offsets;
  {
    const ScopedFileObserver observer([&](const FileOperation& operation) {
      if (std::string(operation.name) == "pwrite") {
        EXPECT_LE(operation.data.size(), std::size_t{16} << 20);
        offsets.insert(operation.offset);
      }
      return 0;
    });
    directory_.write_text("large", text);
  }
  EXPECT_EQ(offsets.size(), 3u);
  EXPECT_EQ(read_file(scratch_ / "large"), text);
  EXPECT_EQ(directory_.read_text("large", text.size()), text);
}

TEST_F(DirectoryTest, ShortWriteIsContinuedAndItsErrorReported) {
  const pid_t child = ::fork();
  if (child == 0) {
    // At the limit the first write is short, the next one fails.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      directory_.write_text("limited", std::string(1500, 'x'));
    } catch (const Error& error) {
      const bool named =
          std::string(error.what()).find("limited: cannot write") != std::string::npos;
      ::_exit(named ? static_cast<int>(error.code()) : 1);
    }
    ::_exit(2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 73);
  EXPECT_EQ(read_file(scratch_ / "limited").size(), 1000u);
}

TEST_F(DirectoryTest, NeverReplacesWhatExists) {
  directory_.write_text("taken", "old");
  directory_.write_text("new", "new");
  expect_error(ExitCode::kCannotCreate, "taken: cannot create: File exists",
               [&] { directory_.create_file("taken"); });
  expect_error(ExitCode::kCannotCreate, "taken: cannot rename to it: File exists",
               [&] { directory_.rename_new("new", "taken"); });
  EXPECT_EQ(read_file(scratch_ / "taken"), "old");
  directory_.create_directory("folder");
  expect_error(ExitCode::kCannotCreate, "folder: cannot make the directory",
               [&] { directory_.create_directory("folder"); });
}

TEST_F(DirectoryTest, ReplaceTextHasOldOrNewContentAtEveryFault) {
  directory_.replace_text("status", "old");
  for (int k = 0;; ++k) {
    int seen = 0;
    bool failed = false;
    try {
      const ScopedFileObserver observer(
          [&](const FileOperation&) { return seen++ == k ? EIO : 0; });
      directory_.replace_text("status", "new");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kIo);
      failed = true;
    }
    const std::string text = read_file(scratch_ / "status");
    EXPECT_TRUE(text == "old" || text == "new") << text;
    EXPECT_EQ(directory_.list(), std::vector<std::string>{"status"});
    if (!failed) {
      EXPECT_EQ(text, "new");
      EXPECT_GE(k, 5);
      break;
    }
    write_file(scratch_ / "status", "old");
  }
}

TEST_F(DirectoryTest, FullDiskNamesPathNeedAndFree) {
  const ScopedFileObserver observer([](const FileOperation& operation) {
    return std::string(operation.name) == "pwrite" ? ENOSPC : 0;
  });
  expect_error(ExitCode::kCannotCreate,
               "full: cannot write: No space left on device: 2.0 KiB needed, ",
               [&] { directory_.write_text("full", std::string(2048, 'x')); });
}

TEST_F(DirectoryTest, LinksFifosAndDirectoriesAreRefusedWithoutTouchingTheirTargets) {
  write_file(scratch_ / "target", "precious");
  ASSERT_EQ(::symlink("target", (scratch_ / "link").c_str()), 0);
  ASSERT_EQ(::mkfifo((scratch_ / "fifo").c_str(), 0600), 0);
  directory_.create_directory("folder");
  for (const char* name : {"link", "fifo", "folder"}) {
    expect_error(ExitCode::kBadData, name, [&] { directory_.read_text(name, 100); });
  }
  expect_error(ExitCode::kBadData, "link", [&] { directory_.open_directory("link"); });
  EXPECT_EQ(read_file(scratch_ / "target"), "precious");
  for (const char* name : {"link", "fifo"}) directory_.replace_text(name, "clean");
  EXPECT_EQ(read_file(scratch_ / "link"), "clean");
  EXPECT_EQ(read_file(scratch_ / "target"), "precious");
}

TEST_F(DirectoryTest, OutputFilesAreWrittenAtAnyOffsetAndReadBack) {
  OutputFile file = directory_.create_file("file");
  file.write("hello");
  file.write_at(1, std::as_bytes(std::span(std::string_view("u"))));
  file.write("!");
  std::string back(4, ' ');
  file.read_back(1, std::as_writable_bytes(std::span(back)));
  EXPECT_EQ(back, "ullo");
  EXPECT_EQ(file.size(), 6u);
  expect_error(ExitCode::kIo, "file: is shorter than",
               [&] { file.read_back(3, std::as_writable_bytes(std::span(back))); });
  EXPECT_EQ(read_file(scratch_ / "file"), "hullo!");
}

TEST_F(DirectoryTest, InputFilesOfTheUserMayBeLinks) {
  write_file(scratch_ / "target", std::string("x\0y", 3));
  ASSERT_EQ(::symlink("target", (scratch_ / "link").c_str()), 0);
  EXPECT_EQ(InputFile::open(scratch_ / "link").text(3), std::string("x\0y", 3));
  expect_error(ExitCode::kBadData, "link: has 3 bytes, expected at most 2",
               [&] { InputFile::open(scratch_ / "link").text(2); });
  expect_error(ExitCode::kBadData, "none: cannot open: No such file",
               [&] { InputFile::open(scratch_ / "none"); });
  ASSERT_EQ(::mkfifo((scratch_ / "fifo").c_str(), 0600), 0);
  expect_error(ExitCode::kBadData, "fifo: is not a regular file",
               [&] { InputFile::open(scratch_ / "fifo"); });
}

TEST_F(DirectoryTest, ParentOfAnOutputMustExist) {
  EXPECT_EQ(Directory::open_parent(scratch_ / "new").path(), scratch_.path());
  EXPECT_EQ(parent_of("new"), ".");
  EXPECT_EQ(parent_of("/new"), "/");
  expect_error(ExitCode::kCannotCreate, "Check that it exists",
               [&] { Directory::open_parent(scratch_ / "none/new"); });
}

TEST_F(DirectoryTest, ReadsWithinLimitsOnly) {
  write_file(scratch_ / "text", "12345");
  EXPECT_EQ(directory_.read_text("missing", 10), std::nullopt);
  expect_error(ExitCode::kBadData, "text: has 5 bytes, expected at most 4",
               [&] { directory_.read_text("text", 4); });
  const InputFile file = directory_.open_file("text");
  std::byte bytes[4];
  expect_error(ExitCode::kBadData, "text: ends at byte 5, 2 more bytes expected",
               [&] { file.read(3, bytes); });
  file.require_unchanged();
  write_file(scratch_ / "text", "123456");
  expect_error(ExitCode::kBadData, "text: was changed", [&] { file.require_unchanged(); });
}

TEST_F(DirectoryTest, MakesMissingParentsAndModesWithoutOtherUsers) {
  const mode_t before = ::umask(0);
  const Directory made = Directory::create(scratch_ / "a/b/c");
  made.write_text("file", "x");
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat((scratch_ / "a/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0750u);
  ASSERT_EQ(::stat((scratch_ / "a/b/c/file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  write_file(scratch_ / "file", "");
  expect_error(ExitCode::kCannotCreate, "file", [&] { Directory::create(scratch_ / "file/x"); });
}

TEST_F(DirectoryTest, RemovesLeftoversOnly) {
  directory_.create_directory("tmp-step-00000001-0123456789abcdef").write_text("x", "y");
  directory_.create_directory(".trash-step-00000001-0123456789abcdef");
  directory_.write_text("tmp-latest-0123456789abcdef", "x");
  const std::vector<std::string> stay = {"0123456789abcdef", "tmp", "tmp-0123456789ABCDEF",
                                         "tmp-notes", "x-tmp-0123456789abcdef"};
  for (const auto& name : stay) directory_.write_text(name, "x");
  EXPECT_EQ(directory_.remove_leftovers().size(), 3u);
  EXPECT_EQ(directory_.list(), stay);
}

TEST(RandomHex, DiffersFromCallToCall) {
  EXPECT_EQ(random_hex(16).size(), 32u);
  EXPECT_NE(random_hex(16), random_hex(16));
}

}  // namespace
}  // namespace pretrain
