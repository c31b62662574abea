#include "core/data/shards.h"

#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ShardsTest : public CorpusFixture {};

TEST_F(ShardsTest, FilesFoldersAndGlobsComeInNameOrder) {
  for (const char* name :
       {"b-1.h5", "b-10.h5", "b-2.h5", "B-3.h5", "b-1.manifest.json", "x[1].h5"}) {
    write(name, "");
  }
  EXPECT_THAT(shard_paths(path("b-1.h5")), ElementsAre(path("b-1.h5")));
  EXPECT_THAT(shard_paths(path("missing.h5")), ElementsAre(path("missing.h5")));
  EXPECT_THAT(shard_paths(path("b-*.h5")),
              ElementsAre(path("b-1.h5"), path("b-10.h5"), path("b-2.h5")));
  EXPECT_THAT(shard_paths(path("x[1].h5")), ElementsAre(path("x[1].h5")));  // a file's very name
  EXPECT_THAT(shard_paths(path("")), ElementsAre(path("B-3.h5"), path("b-1.h5"), path("b-10.h5"),
                                                 path("b-2.h5"), path("x[1].h5")));
}

TEST_F(ShardsTest, NothingThereIsNamed) {
  EXPECT_THAT(message([&] { shard_paths(path("*.h5")); }), HasSubstr("*.h5: no file matches"));
  EXPECT_THAT(message([&] { shard_paths(path("")); }), HasSubstr("holds no corpus"));
}

}  // namespace
}  // namespace pretrain
