#include "core/base/environment_variable.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

TEST(EnvironmentVariable, ListedAreTheRunsOwnWithoutSecrets) {
  for (const char* name : {"HOME", "USER", "TMPDIR", "SCRATCH", "SLURM_JOB_ID", "PRETRAIN_X"}) {
    EXPECT_TRUE(is_listed_variable(name)) << name;
  }
  for (const char* name : {"PATH", "HOMER", "AWS_SECRET_ACCESS_KEY", "SLURM_JWT", "SLURMX",
                           "PRETRAIN_TOKEN", "PRETRAIN_API_KEY", ""}) {
    EXPECT_FALSE(is_listed_variable(name)) << name;
  }
}

TEST(EnvironmentVariable, SecretsShowInTheName) {
  for (const char* name : {"HF_TOKEN", "hf_token", "TOKEN", "GITHUB_TOKEN_2", "APIKEY", "SSH_KEY",
                           "SLURM_JWT", "DB_PASSWORD", "MY_SECRETS", "PGPASSWD", "CREDENTIALS"}) {
    EXPECT_TRUE(is_secret_variable(name)) << name;
  }
  for (const char* name : {"TOKENIZER", "TOKENS", "CORPUS", "KEYBOARD", "HOME", ""}) {
    EXPECT_FALSE(is_secret_variable(name)) << name;
  }
}

}  // namespace
}  // namespace pretrain
