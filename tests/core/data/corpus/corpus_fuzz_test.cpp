#include "core/data/corpus/corpus_manifest.h"
#include "core/data/corpus/corpus_probe.h"
#include "core/data/corpus/inspect/corpus_info.h"
#include "tests/core/data/corpus/corpus_fixture.h"
#include "tests/testing/fuzz.h"

namespace pretrain {
namespace {

class CorpusFuzzTest : public CorpusFixture {
 protected:
  std::string corpus_file(std::uint64_t vocab_size = 300) const {
    return read(make_corpus("seed.h5", {{1, 2, 3}, {4}, {5, 6}}, vocab_size, 299,
                            {{"train", {{0, 2}}}, {"valid", {{2, 3}}}}));
  }
};

// The tables of a damaged file are refused, or fit into the file and can be read to the end.
TEST_F(CorpusFuzzTest, DamagedHeadersAreRefusedOrHarmless) {
  testing::fuzz({.seeds = {corpus_file(), corpus_file(70000)},
                 .dictionary = {"pretrain-corpus", "tokens", "TREE", "HEAP", "SNOD", "OHDR"},
                 .trials = 100},  // a process each
                [&](const std::string& input) {
                  write("a.h5", input);
                  corpus_info(path("a.h5")).to_json();
                });
}

// A manifest that is read back is one that somebody wrote: each change is seen.
TEST_F(CorpusFuzzTest, ManifestsAreRefusedOrUnchanged) {
  corpus_file();
  const std::string good = read(manifest_path(path("seed.h5")));
  const std::string canonical = manifest_to_json(manifest_from_json(good, "m.json"));
  testing::fuzz({.seeds = {good},
                 .dictionary = {"{", "}", "[", "]", "\"", ",", ":", "-1", "1e999", "null",
                                "18446744073709551616", "\\u0000", "\"offset\"", "\"sources\": []"},
                 .trials = 2000},
                [&](const std::string& input) {
                  // Blanks between values may change.
                  ASSERT_EQ(manifest_to_json(manifest_from_json(input, "m.json")), canonical);
                });
}

}  // namespace
}  // namespace pretrain
