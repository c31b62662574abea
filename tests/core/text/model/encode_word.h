#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/model/text_model.h"

namespace pretrain {

/// Ids of a word. Expects that ids which are there stay, and that the spans are of the same tokens,
/// in order, and cover the word.
inline std::vector<std::uint32_t> encode_word(const TextModel& model, std::string_view word) {
  std::vector<std::uint32_t> ids = {99};
  model.encode(word, ids);
  EXPECT_EQ(ids.front(), 99u);
  ids.erase(ids.begin());
  std::vector<WordToken> tokens;
  model.encode_spans(word, tokens);
  std::vector<std::uint32_t> same;
  std::uint32_t end = 0;
  for (const WordToken& token : tokens) {
    same.push_back(token.id);
    EXPECT_GE(token.end, end) << word;
    end = token.end;
  }
  EXPECT_EQ(same, ids) << word;
  if (!tokens.empty()) {
    EXPECT_EQ(end, word.size()) << word;
  }
  return ids;
}

}  // namespace pretrain
