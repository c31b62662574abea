#include "launch/process/signals.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "core/base/files/mapped_file.h"

namespace pretrain {
namespace {

// Handlers are the process's own: every test works in a child. Exits with the request it sees.
[[noreturn]] void exit_with_request(bool under_launcher, int signal) {
  install_signal_handlers(under_launcher);
  raise(signal);
  _exit(static_cast<int>(stop_request()));
}

TEST(SignalsDeathTest, SignalsAskToStop) {
  const auto preempt = ::testing::ExitedWithCode(3);
  const auto terminate = ::testing::ExitedWithCode(4);
  for (const int signal : {SIGUSR1, SIGXCPU, SIGINT}) {
    EXPECT_EXIT(exit_with_request(true, signal), preempt, "");
    EXPECT_EXIT(exit_with_request(false, signal), preempt, "");
  }
  EXPECT_EXIT(exit_with_request(true, SIGTERM), terminate, "");
  EXPECT_EXIT(exit_with_request(false, SIGTERM), preempt, "");
  EXPECT_EXIT(exit_with_request(true, SIGHUP), terminate, "");
  EXPECT_EXIT(exit_with_request(true, SIGPIPE), ::testing::ExitedWithCode(0), "");
}

TEST(SignalsDeathTest, TheSecondSignalKills) {
  const auto twice = [](int first, int second) {
    install_signal_handlers(true);
    raise(first);
    raise(second);
    _exit(0);
  };
  EXPECT_EXIT(twice(SIGUSR1, SIGUSR1), ::testing::KilledBySignal(SIGUSR1), "");
  EXPECT_EXIT(twice(SIGINT, SIGTERM), ::testing::KilledBySignal(SIGTERM), "");
}

TEST(SignalsDeathTest, HandlersCanBeInstalledAgain) {
  const auto reinstalled = [] {
    install_signal_handlers(true);
    std::signal(SIGUSR1, SIG_DFL);
    exit_with_request(true, SIGUSR1);
  };
  EXPECT_EXIT(reinstalled(), ::testing::ExitedWithCode(3), "");
}

class MappedInputDeathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "signals_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::ofstream(file()) << std::string(8192, 'x');
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file() const { return folder_ / "corpus of mine.h5"; }

  // Reads behind the end of the file through a mapping made when it was longer.
  void read_truncated(const void* map) {
    install_signal_handlers(true);
    std::filesystem::resize_file(file(), 10);
    const volatile char byte = static_cast<const volatile char*>(map)[5000];
    _exit(byte == 'x' ? 0 : 1);
  }

  std::filesystem::path folder_;
};

TEST_F(MappedInputDeathTest, ATruncatedInputIsNamed) {
  const MappedFile input(file());
  EXPECT_EXIT(read_truncated(input.bytes().data()), ::testing::ExitedWithCode(65),
              "error 65: .*corpus of mine.h5: truncated while it was read");
}

TEST_F(MappedInputDeathTest, OtherBusErrorsKill) {
  const int handle = open(file().c_str(), O_RDONLY);
  void* map = mmap(nullptr, 8192, PROT_READ, MAP_SHARED, handle, 0);
  EXPECT_EXIT(read_truncated(map), ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace pretrain
