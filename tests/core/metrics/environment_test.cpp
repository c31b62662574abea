#include "core/metrics/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using nlohmann::json;
using ::testing::MatchesRegex;

TEST(EnvironmentTest, ReadsTheVariablesThatAreSet) {
  setenv("PRETRAIN_TEST_VALUE", "a=b", 1);
  setenv("PRETRAIN_TEST_TOKEN", "secret", 1);
  const auto variables = listed_variables();
  unsetenv("PRETRAIN_TEST_VALUE");
  unsetenv("PRETRAIN_TEST_TOKEN");
  EXPECT_EQ(variables.at("PRETRAIN_TEST_VALUE"), "a=b");
  EXPECT_FALSE(variables.contains("PRETRAIN_TEST_TOKEN"));
  EXPECT_FALSE(variables.contains("PATH"));
}

TEST(EnvironmentTest, KnowsItsCpus) {
  EXPECT_THAT(allowed_cpus(), MatchesRegex("[0-9]+([-,][0-9]+)*"));
}

TEST(EnvironmentTest, WritesWhatTheRunRanOn) {
  testing::ScratchFolder folder;
  Environment environment;
  environment.versions = {{"torch", "2.13.0"}, {"mpi", "4.1.4"}};
  environment.ranks = {{"nodeB", 2, "0-1", ""}, {"nodeA", 4, "2-5", "H100"}, {"nodeB", 2, "", ""}};
  environment.launcher = "mpirun";
  environment.tags = {{"team", "a\xff"}};
  environment.variables = {{"USER", "me"}};
  write_environment(folder / "env.json", environment);
  const json content = json::parse(testing::read_file(folder / "env.json"));
  EXPECT_EQ(content["v"], 1);
  EXPECT_EQ(content["versions"]["torch"], "2.13.0");
  EXPECT_EQ(content["hosts"], (json{"nodeA", "nodeB"}));
  EXPECT_EQ(content["ranks"][0],
            (json{{"rank", 0}, {"host", "nodeB"}, {"threads", 2}, {"cpus", "0-1"}}));
  EXPECT_EQ(content["ranks"][1]["device"], "H100");
  EXPECT_EQ(content["launcher"], "mpirun");
  EXPECT_TRUE(content["git_commit"].is_null());
  EXPECT_EQ(content["variables"], (json{{"USER", "me"}}));

  environment.git_commit = "abc";
  write_environment(folder / "env.json", environment);
  EXPECT_EQ(json::parse(testing::read_file(folder / "env.json"))["git_commit"], "abc");
}

}  // namespace
}  // namespace pretrain
