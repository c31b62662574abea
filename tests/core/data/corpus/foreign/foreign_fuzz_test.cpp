#include "core/data/corpus/foreign/corpus_import.h"
#include "core/data/corpus/foreign/megatron_index.h"
#include "core/data/corpus/foreign/token_stream.h"
#include "tests/core/data/corpus/foreign/foreign_fixture.h"
#include "tests/testing/fuzz.h"

namespace pretrain {
namespace {

class ForeignFuzzTest : public CorpusFixture {
 protected:
  static std::string header(std::int32_t magic, std::int32_t version, std::int32_t tokens) {
    std::vector<std::int32_t> fields(256, 0);
    fields[0] = magic;
    fields[1] = version;
    fields[2] = tokens;
    return packed(fields);
  }
};

// Whatever the index says: what is accepted gives each token of .bin once, in order.
TEST_F(ForeignFuzzTest, MegatronIndexIsRefusedOrGivesEveryToken) {
  MegatronParts modes = small_megatron();
  modes.modes = {0, 0, 1};
  const std::string bin = packed<std::uint16_t>({1, 2, 3, 4});
  write("m.bin", bin);
  const auto accepted = testing::fuzz(
      {.seeds = {small_megatron().idx(), modes.idx(),
                 MegatronParts{.lengths = {4}, .pointers = {0}, .documents = {0, 1}}.idx()},
       .dictionary = {packed<std::int32_t>({2, 1}), packed<std::int64_t>({0, 4, 6}),
                      packed<std::int64_t>({0, 1})}},
      [&](const std::string& input) {
        write("m.idx", input);
        const MegatronIndex index(path("m"));
        DocumentList list;
        read_megatron(path("m"), index, 1 << 16, list, {});
        std::uint64_t bytes = 0;
        for (const auto& document : list.documents)
          bytes += document.size() * token_bytes(index.type());
        ASSERT_EQ(bytes, bin.size());
      });
  EXPECT_GT(accepted, 0u) << "changes of a mode are no fault";
}

TEST_F(ForeignFuzzTest, LlmcHeadersAreRefusedOrCountTheFile) {
  const auto accepted = testing::fuzz(
      {.seeds = {header(20240520, 1, 3) + packed<std::uint16_t>({1, 2, 3}),
                 header(20240801, 7, 2) + packed<std::uint32_t>({1, 2})},
       .dictionary = {packed<std::int32_t>({20240520, 1}), packed<std::int32_t>({20240801, 7})}},
      [&](const std::string& input) {
        std::vector<TokenFile> files;
        files.push_back(TokenFile::llmc(write("a.bin", input)));
        const std::uint64_t tokens = files[0].tokens();
        ASSERT_EQ(1024 + tokens * token_bytes(files[0].type()), input.size());
        DocumentList list;
        read_token_stream(files, {.id = 2, .before = true}, std::uint64_t{1} << 32, list, {});
        std::uint64_t given = 0;
        for (const auto& document : list.documents) given += document.size();
        ASSERT_EQ(given, tokens);
      });
  EXPECT_GT(accepted, 0u) << "most of the header is not read";
}

}  // namespace
}  // namespace pretrain
