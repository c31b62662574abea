#include "core/config/usual_names.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

TEST(UsualNamesTest, TheLastPartOfAKeySaysWhatIsMeant) {
  EXPECT_EQ(usual_name("train.steps"), "train.duration: {steps: N}");
  EXPECT_EQ(usual_name("max_steps"), "train.duration: {steps: N}");
  EXPECT_EQ(usual_name("optimizer.learning_rate"), "optimizer.lr");
  EXPECT_EQ(usual_name("model.n_layer"), "model.layers");
}

TEST(UsualNamesTest, NothingIsSaidOfOurNamesAndOfUnknownOnes) {
  EXPECT_EQ(usual_name("optimizer.lr"), "");
  EXPECT_EQ(usual_name("train.colour"), "");
  EXPECT_EQ(usual_name(""), "");
}

}  // namespace
}  // namespace pretrain
