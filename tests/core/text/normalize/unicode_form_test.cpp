#include <gtest/gtest.h>

#include "core/text/normalize/normalizers.h"
#include "tests/testing/normalized.h"

namespace pretrain {
namespace {

// Digests of what the normalizers of tokenizers 0.23.3 make of the same texts.
TEST(UnicodeForm, EqualsTokenizersOnAllScalars) {
  EXPECT_EQ(digest_over_scalars(*make_unicode_form(NormalizationForm::kNfc)),
            "e86779488d608ae06b9484b370eadae305bc4cadac9b83a51cc11da7f0cc1e96");
  EXPECT_EQ(digest_over_scalars(*make_unicode_form(NormalizationForm::kNfd)),
            "7f137a026858f939af1231a07b020e8dc65055f943d3842da52eb791666a8e1a");
  EXPECT_EQ(digest_over_scalars(*make_unicode_form(NormalizationForm::kNfkc)),
            "12faf6abd09b058fff6e50ec2fd84613de58d407573bc17047a6f32f8a2b68aa");
  EXPECT_EQ(digest_over_scalars(*make_unicode_form(NormalizationForm::kNfkd)),
            "43623b751acc574c8d55a675add872eefc5767a0f611fccb3d03d2964a193974");
}

TEST(UnicodeForm, ComposesAcrossRuns) {
  const auto nfc = make_unicode_form(NormalizationForm::kNfc);
  EXPECT_EQ(normalized(*nfc, "cafe\u0301s"), "caf\u00E9s");
  EXPECT_EQ(normalized(*nfc, "\u1100\u1161\u11A8 \u1100\u1161"), "\uAC01 \uAC00");
  EXPECT_EQ(normalized(*nfc, "\u0301e\u0323\u0301"), "\u0301\u1EB9\u0301");
  EXPECT_EQ(normalized(*nfc, ""), "");
  EXPECT_EQ(normalized(*make_unicode_form(NormalizationForm::kNfkc), "\uFB01x"), "fix");
}

TEST(UnicodeForm, KnowsWhereTheTextComesFrom) {
  const auto nfc = make_unicode_form(NormalizationForm::kNfc);
  EXPECT_EQ(origins(*nfc, "e\u0301s"), (std::vector<TextSpan>{{0, 1}, {0, 1}, {3, 4}}));
  const auto nfd = make_unicode_form(NormalizationForm::kNfd);
  EXPECT_EQ(origins(*nfd, "a\u00E9"), (std::vector<TextSpan>{{0, 1}, {1, 3}, {1, 3}, {1, 3}}));
}

TEST(UnicodeForm, AMegabyteOfMarks) {
  std::string text = "a";
  for (int i = 0; i < 500000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0323";
  const std::string form = normalized(*make_unicode_form(NormalizationForm::kNfd), text);
  EXPECT_EQ(form.size(), text.size());
  EXPECT_EQ(form.substr(0, 5), "a\u0323\u0323");
}

}  // namespace
}  // namespace pretrain
