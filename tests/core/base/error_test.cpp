#include "core/base/error.h"

#include <gtest/gtest.h>

#include <new>
#include <system_error>

namespace pretrain {
namespace {

TEST(AsError, KeepsOurs) {
  const Error error = as_error(Error(ExitCode::kLocked, "run.lock: held"));
  EXPECT_EQ(error.code(), ExitCode::kLocked);
  EXPECT_STREQ(error.what(), "run.lock: held");
}

TEST(AsError, WantOfMemoryHasItsCode) {
  EXPECT_EQ(as_error(std::bad_alloc()).code(), ExitCode::kOutOfMemory);
  const Error error = as_error(std::runtime_error(
      "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
      "you tried to allocate 64 bytes.\nException raised from alloc_cpu at ../c10 (frame #0)\n"));
  EXPECT_EQ(error.code(), ExitCode::kOutOfMemory);
  EXPECT_EQ(std::string(error.what()).find("Exception raised"), std::string::npos);
  EXPECT_NE(std::string(error.what()).find("train.micro_batch"), std::string::npos);
}

TEST(AsError, WantOfThreadsIsToldToo) {
  const Error error =
      as_error(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)));
  EXPECT_EQ(error.code(), ExitCode::kOutOfMemory);
  EXPECT_NE(std::string(error.what()).find("cannot start a thread"), std::string::npos);
  EXPECT_EQ(as_error(std::system_error(std::make_error_code(std::errc::io_error))).code(),
            ExitCode::kInternal);
}

TEST(AsError, AllElseIsInternalAndHasNoTrace) {
  const Error error = as_error(std::runtime_error("shapes differ\nException raised from add\n#1"));
  EXPECT_EQ(error.code(), ExitCode::kInternal);
  EXPECT_STREQ(error.what(), "shapes differ");
}

}  // namespace
}  // namespace pretrain
