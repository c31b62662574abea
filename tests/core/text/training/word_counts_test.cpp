#include "core/text/training/word_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

#include "core/base/error.h"

namespace pretrain {
namespace {

void split_at_blanks(std::string_view text, const std::function<void(std::string_view)>& use) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) use(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

DocumentSource from(const std::vector<std::string>& documents, std::size_t& at) {
  return [&documents, &at](std::string& document) {
    if (at == documents.size()) return false;
    document = documents[at++];
    return true;
  };
}

std::map<std::string, std::uint64_t> as_map(const WordCounts& counts) {
  std::map<std::string, std::uint64_t> map;
  for (const WordCounts::Word& word : counts.words) map.emplace(word.text, word.count);
  return map;
}

// Words of a falling frequency, some with NUL and bytes that are no UTF-8.
std::vector<std::string> random_documents(std::size_t documents) {
  std::mt19937 random(1);
  std::geometric_distribution<int> word(0.01);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < documents; ++i) {
    std::string& text = texts.emplace_back();
    for (int n = word(random) % 50; n > 0; --n) {
      const int w = word(random);
      text += w % 3 == 0 ? '\0' : '\xff';
      text += concat(w, " ");
    }
  }
  return texts;
}

TEST(WordCounts, EqualsAMapForAnyNumberOfThreads) {
  const std::vector<std::string> documents = random_documents(3000);
  std::map<std::string, std::uint64_t> expected;
  std::uint64_t total = 0;
  std::uint64_t bytes = 0;
  for (const std::string& document : documents) {
    bytes += document.size();
    split_at_blanks(document, [&](std::string_view word) {
      ++expected[std::string(word)];
      ++total;
    });
  }
  for (unsigned threads : {1U, 2U, 5U}) {
    for (std::uint64_t round : {std::uint64_t{1000}, std::uint64_t{1} << 30U}) {
      std::size_t at = 0;
      const WordCounts counts = count_words(from(documents, at), split_at_blanks,
                                            {.threads = threads, .round_bytes = round});
      EXPECT_EQ(as_map(counts), expected);
      EXPECT_EQ(counts.words.size(), expected.size());
      EXPECT_TRUE(std::is_sorted(counts.words.begin(), counts.words.end(),
                                 [](const auto& a, const auto& b) { return a.text < b.text; }));
      EXPECT_EQ(counts.total, total);
      EXPECT_EQ(counts.documents, documents.size());
      EXPECT_EQ(counts.document_bytes, bytes);
      EXPECT_EQ(counts.dropped, 0U);
    }
  }
}

TEST(WordCounts, MemoryIsBoundedAndWhatIsLostIsCounted) {
  const std::vector<std::string> documents = random_documents(3000);
  std::map<std::string, std::uint64_t> first;
  for (unsigned threads : {1U, 3U}) {
    std::size_t at = 0;
    const WordCounts counts =
        count_words(from(documents, at), split_at_blanks,
                    {.threads = threads, .max_words = 100, .round_bytes = 4000});
    EXPECT_LE(counts.words.size(), 100U);
    EXPECT_GT(counts.dropped, 0U);
    std::uint64_t kept = 0;
    for (const WordCounts::Word& word : counts.words) kept += word.count;
    EXPECT_EQ(kept + counts.dropped, counts.total);
    if (first.empty()) first = as_map(counts);
    EXPECT_EQ(as_map(counts), first);  // for any number of threads
    EXPECT_TRUE(
        first.contains(std::string("\0"
                                   "0",
                                   2)));  // the most frequent one
  }
}

TEST(WordCounts, NothingIsNoFault) {
  std::size_t at = 0;
  const std::vector<std::string> none;
  EXPECT_TRUE(count_words(from(none, at), split_at_blanks, {.threads = 2}).words.empty());
}

TEST(WordCounts, AFailingSourceIsNotAskedAgain) {
  int calls = 0;
  const auto source = [&](std::string& document) {
    if (++calls == 3) throw std::runtime_error("broken");
    document = "a b";
    return true;
  };
  EXPECT_THROW(count_words(source, split_at_blanks, {.threads = 4}), std::runtime_error);
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace pretrain
