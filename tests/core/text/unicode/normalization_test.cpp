#include "core/text/unicode/normalization.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

using Form = std::vector<FormCodePoint>;

Form form(NormalizationForm which, const std::vector<std::uint32_t>& source) {
  Form result;
  append_form(which, source, result);
  return result;
}

TEST(Normalization, CountsWhatItUses) {
  EXPECT_EQ(form(NormalizationForm::kNfc, {'e', 0x323, 0x301}), (Form{{0x1EB9, 2}, {0x301, 1}}));
  EXPECT_EQ(form(NormalizationForm::kNfd, {0xE9, 'x'}), (Form{{'e', 1}, {0x301, 0}, {'x', 1}}));
  EXPECT_EQ(form(NormalizationForm::kNfkc, {0xFB01}), (Form{{'f', 1}, {'i', 0}}));
  EXPECT_EQ(form(NormalizationForm::kNfc, {}), Form{});
}

TEST(Normalization, OrdersMarksByTheirClass) {
  EXPECT_EQ(form(NormalizationForm::kNfd, {0x301, 0x323, 'a', 0x301, 0x300}),
            (Form{{0x323, 1}, {0x301, 1}, {'a', 1}, {0x301, 1}, {0x300, 1}}));
}

TEST(Normalization, ExcludedCompositesStayApart) {
  EXPECT_EQ(form(NormalizationForm::kNfc, {0x958}), (Form{{0x915, 1}, {0x93C, 0}}));
  EXPECT_EQ(form(NormalizationForm::kNfc, {0x1100, 0x1161, 0x11A8}), (Form{{0xAC01, 3}}));
}

TEST(Normalization, KnowsWhatIsInert) {
  EXPECT_TRUE(is_inert(NormalizationForm::kNfc, 0xE9));
  EXPECT_TRUE(is_inert(NormalizationForm::kNfkc, 0xAC00));
  EXPECT_FALSE(is_inert(NormalizationForm::kNfd, 0xE9));
  EXPECT_FALSE(is_inert(NormalizationForm::kNfc, 0x301));
  EXPECT_FALSE(is_inert(NormalizationForm::kNfkc, 0x1E9B));
  EXPECT_TRUE(is_inert(NormalizationForm::kNfc, 0x1E9B));
}

}  // namespace
}  // namespace pretrain
