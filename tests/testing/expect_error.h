#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"

namespace pretrain::testing {

/// Expects `action` to throw Error with this code and a message that contains `part`.
template <class Action>
void expect_error(ExitCode code, const std::string& part, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    return;
  }
  ADD_FAILURE() << "no error, expected " << part;
}

}  // namespace pretrain::testing
