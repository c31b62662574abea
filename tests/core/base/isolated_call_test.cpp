#include "core/base/isolated_call.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "core/base/error.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string message(const std::function<std::string()>& work, const IsolationLimits& limits = {}) {
  try {
    return "returned " + run_isolated("f.h5", work, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
}

TEST(IsolatedCall, ReturnsTheText) {
  const std::string text(60000, 'x');
  EXPECT_EQ(run_isolated("f.h5", [&] { return text; }), text);
  EXPECT_EQ(run_isolated("f.h5", [] { return std::string(); }), "");
}

TEST(IsolatedCall, PassesErrorsOn) {
  try {
    run_isolated("f.h5", []() -> std::string { fail(ExitCode::kIo, "disk gone"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_STREQ(error.what(), "disk gone");
  }
}

TEST(IsolatedCall, SurvivesCrashes) {
  EXPECT_THAT(message([]() -> std::string { std::abort(); }),
              StartsWith("f.h5: the library crashed"));
  EXPECT_THAT(message([]() -> std::string {
                raise(SIGSEGV);
                return "";
              }),
              HasSubstr("crashed"));
  EXPECT_THAT(message([]() -> std::string { _exit(3); }), HasSubstr("no answer"));
}

TEST(IsolatedCall, SurvivesHangs) {
  EXPECT_THAT(message(
                  []() -> std::string {
                    while (true) pause();
                  },
                  {.wall_seconds = 1}),
              HasSubstr("more than 1 s"));
  EXPECT_THAT(message(
                  []() -> std::string {
                    for (volatile bool turning = true; turning;) {
                    }
                    return "";
                  },
                  {.cpu_seconds = 1, .wall_seconds = 20}),
              HasSubstr("crashed"));
}

TEST(IsolatedCall, LimitsReplyMemoryAndFiles) {
  EXPECT_THAT(message([] { return std::string(70000, 'x'); }), HasSubstr("more than 65536 bytes"));
#ifndef __SANITIZE_ADDRESS__
  EXPECT_THAT(message([] { return std::string(std::size_t{300} << 20, 'x').substr(0, 1); }),
              HasSubstr("memory"));
#endif
  const int inherited = open("/dev/null", O_RDONLY);
  EXPECT_EQ(run_isolated("f.h5",
                         [&] {
                           char byte = 0;
                           const int copy = fcntl(inherited, F_GETFD);
                           return concat(inherited == 3 ? -1 : copy, read(0, &byte, 1));
                         }),
            "-10");
  close(inherited);
}

}  // namespace
}  // namespace pretrain
