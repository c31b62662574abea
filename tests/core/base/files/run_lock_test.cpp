#include "core/base/files/run_lock.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "core/base/json/json_reader.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::expect_error;
using testing::read_file;
using testing::ScratchFolder;
using testing::write_file;

RunLockOptions quick() {
  RunLockOptions options;
  options.stale_seconds = 0.5;
  options.beat_seconds = 0.02;
  options.settle_seconds = 0.05;
  return options;
}

/// The JSON text with another value for `key`.
std::string with_member(std::string text, const std::string& key, const std::string& value) {
  const std::size_t begin = text.find(concat('"', key, "\":")) + key.size() + 3;
  return text.replace(begin, text.find_first_of(",}", begin) - begin, value);
}

class RunLockTest : public ::testing::Test {
 protected:
  std::string lock_text() const { return read_file(path_); }
  /// The text of a live lock of this process, with the values of some members replaced.
  std::string changed(const std::vector<std::pair<std::string, std::string>>& members) {
    std::string text;
    {
      const RunLock lock(scratch_.path(), quick());
      text = lock_text();
    }
    for (const auto& [key, value] : members) text = with_member(text, key, value);
    return text;
  }
  void expect_taken_over(const std::string& text) {
    write_file(path_, text);
    const RunLock lock(scratch_.path(), quick());
    EXPECT_TRUE(lock.taken_over_from().has_value());
    EXPECT_NE(lock_text(), text);
  }
  void expect_held(const std::string& part) {
    expect_error(ExitCode::kLocked, part, [&] { RunLock lock(scratch_.path(), quick()); });
    EXPECT_EQ(Directory::open(scratch_.path()).list(), std::vector<std::string>{"run.lock"});
  }
  ScratchFolder scratch_;
  std::string path_ = scratch_ / "run.lock";
};

TEST_F(RunLockTest, HoldsAndLeavesNothingBehind) {
  {
    RunLockOptions options = quick();
    options.job = "8812";
    RunLock lock(scratch_.path(), options);
    EXPECT_TRUE(lock.still_ours());
    EXPECT_NO_THROW(lock.require());
    EXPECT_EQ(lock.taken_over_from(), std::nullopt);
    const JsonValue value = parse_json(lock_text(), "run.lock");
    const JsonReader json(value, "run.lock");
    EXPECT_EQ(json.at("pid").whole(), static_cast<std::uint64_t>(::getpid()));
    EXPECT_EQ(json.at("job").text(), "8812");
    for (const char* key : {"host", "start", "nonce", "boot_id"}) {
      EXPECT_NE(json.at(key).text(), "") << key;
    }
    EXPECT_GT(json.at("start_ticks").whole(), 0u);
    // The second run is told who holds it, and the first one does not notice.
    try {
      RunLock second(scratch_.path(), quick());
      ADD_FAILURE() << "held twice";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kLocked);
      EXPECT_THAT(error.what(), ::testing::MatchesRegex(
                                    ".*/pretrain-test-[^ ]+ is in use by [^ ]+ pid [0-9]+ since "
                                    "[0-9][0-9]:[0-9][0-9] \\(job 8812, last beat [0-9]+ s ago\\)"
                                    "\\. Wait, or use another run\\.dir"));
    }
    EXPECT_TRUE(lock.still_ours());
  }
  EXPECT_TRUE(Directory::open(scratch_.path()).list().empty());
}

TEST_F(RunLockTest, BeatsRaiseTheCounterInPlace) {
  const RunLock lock(scratch_.path(), quick());
  struct stat before {};
  ASSERT_EQ(::stat(path_.c_str(), &before), 0);
  std::uint64_t counter = 0;
  for (int i = 0; i < 500 && counter < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const JsonValue value = parse_json(lock_text(), "run.lock");
    counter = JsonReader(value, "run.lock").at("counter").whole();
  }
  EXPECT_GE(counter, 3u);
  struct stat after {};
  ASSERT_EQ(::stat(path_.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(before.st_size, after.st_size);
}

TEST_F(RunLockTest, ExactlyOneOfManyStarters) {
  for (const std::string& stale : {std::string(), changed({{"start_ticks", "1"}})}) {
    if (!stale.empty()) write_file(path_, stale);
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        try {
          RunLockOptions options = quick();
          options.settle_seconds = 0.3;
          RunLock lock(scratch_.path(), options);
          std::this_thread::sleep_for(std::chrono::milliseconds(900));
          ::_exit(lock.still_ours() ? 0 : 1);
        } catch (const Error& error) {
          ::_exit(static_cast<int>(error.code()));
        }
      }
      children.push_back(child);
    }
    int winners = 0;
    for (const pid_t child : children) {
      int status = 0;
      ::waitpid(child, &status, 0);
      winners += WEXITSTATUS(status) == 0;
      EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77) << WEXITSTATUS(status);
    }
    EXPECT_EQ(winners, 1);
    std::filesystem::remove(path_);
  }
}

TEST_F(RunLockTest, AKilledHoldersLockIsTakenOverAndItsTraceRemoved) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunLock lock(scratch_.path(), quick());
    const ssize_t written = ::write(ready[1], "x", 1);
    ::pause();
    ::_exit(written == 1 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  expect_held(concat("pid ", child));
  ::kill(child, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  write_file(scratch_ / "tmp-run.lock-0123456789abcdef", "half");
  {
    // Still a zombie: it has a pid, but it does not live.
    const RunLock lock(scratch_.path(), quick());
    EXPECT_THAT(lock.taken_over_from().value(), ::testing::HasSubstr(concat("pid ", child)));
    EXPECT_EQ(Directory::open(scratch_.path()).list(), std::vector<std::string>{"run.lock"});
  }
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(RunLockTest, StaleOnThisHost) {
  expect_taken_over(changed({{"pid", "4194304"}}));         // above the largest pid
  expect_taken_over(changed({{"start_ticks", "1"}}));       // the pid was given to another process
  expect_taken_over(changed({{"boot_id", "\"before\""}}));  // the host was booted since
}

TEST_F(RunLockTest, OtherHostOrNamespaceIsWatchedByItsCounter) {
  for (const auto& members : std::vector<std::vector<std::pair<std::string, std::string>>>{
           {{"host", "\"elsewhere\""}, {"boot_id", "\"other\""}}, {{"pid_namespace", "1"}}}) {
    const std::string silent = changed(members);
    std::string said;
    {
      write_file(path_, silent);
      RunLockOptions options = quick();
      options.log = [&](const std::string& text) { said = text; };
      const RunLock lock(scratch_.path(), options);
      EXPECT_TRUE(lock.taken_over_from().has_value());
    }
    EXPECT_THAT(said, ::testing::HasSubstr("waiting up to 0.5 s for a beat of"));

    write_file(path_, silent);
    std::atomic<bool> stop = false;
    std::thread holder([&] {
      const Directory directory = Directory::open(scratch_.path());
      for (int i = 1; !stop; ++i) {
        directory.replace_text("run.lock", with_member(silent, "counter", std::to_string(i)));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    RunLockOptions patient = quick();
    patient.stale_seconds = 60;  // a disk may take its time over one beat
    expect_error(ExitCode::kLocked, "is in use by ",
                 [&] { RunLock lock(scratch_.path(), patient); });
    stop = true;
    holder.join();
    std::filesystem::remove(path_);
  }
}

TEST_F(RunLockTest, AWatchedLockThatVanishesIsFreeAtOnce) {
  write_file(path_, changed({{"host", "\"elsewhere\""}, {"boot_id", "\"other\""}}));
  RunLockOptions options = quick();
  options.stale_seconds = 3600;  // what it would wait if it did not look again
  options.log = [&](const std::string&) { std::filesystem::remove(path_); };
  const RunLock lock(scratch_.path(), options);
  EXPECT_FALSE(lock.taken_over_from().has_value());
}

TEST_F(RunLockTest, TornFilesAreTakenOver) {
  const std::string good = changed({});
  for (const std::string& torn :
       {std::string(), good.substr(0, 60), std::string(1024, '\0'), std::string("{\"host\": 1}")}) {
    expect_taken_over(torn);
  }
}

TEST_F(RunLockTest, LinkFifoOrDirectoryInItsPlaceIsRefused) {
  write_file(scratch_ / "target", "precious");
  ASSERT_EQ(::symlink("target", path_.c_str()), 0);
  const auto expect_refused = [&] {
    expect_error(ExitCode::kCannotCreate, "run.lock",
                 [&] { RunLock lock(scratch_.path(), quick()); });
    std::filesystem::remove(path_);
  };
  expect_refused();
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  expect_refused();
  std::filesystem::create_directory(path_);
  expect_refused();
  EXPECT_EQ(Directory::open(scratch_.path()).list(), std::vector<std::string>{"target"});
  EXPECT_EQ(read_file(scratch_ / "target"), "precious");
}

TEST_F(RunLockTest, ALostLockIsNoticedAndLeftAlone) {
  const std::string foreign = changed({{"nonce", "\"foreign\""}});
  {
    RunLock lock(scratch_.path(), quick());
    Directory::open(scratch_.path()).replace_text("run.lock", foreign);
    EXPECT_FALSE(lock.still_ours());
    expect_error(ExitCode::kLocked, "the lock was lost to ", [&] { lock.require(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(lock_text(), foreign);  // neither beaten nor removed
  std::filesystem::remove(path_);
  RunLock lock(scratch_.path(), quick());
  std::filesystem::remove(path_);
  expect_error(ExitCode::kLocked, "someone who removed it", [&] { lock.require(); });
}

}  // namespace
}  // namespace pretrain
