#include "tests/parallel/communicator_conformance.h"

#include <gtest/gtest.h>

#include "tests/testing/thread_communicator.h"

namespace pretrain::testing {
namespace {

// The fake that other tests rely on must do what real communicators do.
using Case = std::tuple<int, CommunicatorCheck>;
class ThreadCommunicatorConformance : public ::testing::TestWithParam<Case> {};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  return concat(std::get<1>(info.param).name, "_", std::get<0>(info.param), "_ranks");
}

TEST_P(ThreadCommunicatorConformance, Conforms) {
  const auto& [ranks, check] = GetParam();
  run_ranks(ranks, [&](Communicator& group) { check.check(group); });
}

INSTANTIATE_TEST_SUITE_P(All, ThreadCommunicatorConformance,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4),
                                            ::testing::ValuesIn(communicator_conformance())),
                         case_name);

}  // namespace
}  // namespace pretrain::testing
