#include "core/data/corpus/corpus_manifest.h"

#include <nlohmann/json.hpp>

#include "core/base/digest.h"
#include "core/base/random.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

CorpusTable small_table() {
  CorpusTable table;
  table.attributes = {.version = 1,
                      .dtype = "u16",
                      .tokenizer_sha256 = "t",
                      .created_by = "c",
                      .vocab_size = 300,
                      .max_id = 299,
                      .documents = 2,
                      .tokens = 10,
                      .bytes = 7,
                      .eos_id = -1};
  table.datasets[kTokensPath] = {100, 20, 10, "u16", "x1", "s1"};
  table.datasets[kDocOffsetsPath] = {120, 24, 3, "u64", "x2", "s2"};
  table.datasets[kDocBytesPath] = {144, 8, 2, "u32", "x3", "s3"};
  table.datasets["/splits/train"] = {152, 16, 2, "u64", "x4", "s4"};
  return table;
}
constexpr std::uint64_t kFileBytes = 168;

class CorpusManifestTest : public CorpusFixture {
 protected:
  static CorpusManifest small_manifest() {
    CorpusManifest manifest{.file = "a.h5",
                            .bytes = kFileBytes,
                            .sha256 = "s",
                            .xxh3_128 = "x",
                            .blocks = {"b"},
                            .table = small_table(),
                            .fingerprint = ""};
    manifest.fingerprint = corpus_fingerprint(manifest.table);
    return manifest;
  }
  static std::string refused(const std::function<void(CorpusTable&)>& edit) {
    CorpusTable table = small_table();
    edit(table);
    return message([&] { check_table(table, kFileBytes, "a.h5"); });
  }
};

TEST_F(CorpusManifestTest, RoundTrips) {
  const std::string text = manifest_to_json(small_manifest());
  const CorpusManifest again = manifest_from_json(text, "m.json");
  EXPECT_EQ(manifest_to_json(again), text);
  EXPECT_EQ(again.table.attributes, small_table().attributes);
  EXPECT_EQ(again.table.datasets.at(kTokensPath).offset, 100u);
  const Json json = Json::parse(text);
  for (const char* key : {"format", "version", "file", "bytes", "sha256", "xxh3_128", "block_bytes",
                          "blocks", "datasets", "attributes", "fingerprint"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["block_bytes"], 67108864);
  const CorpusTable table = table_from_json(table_to_json(small_table()), "t");
  EXPECT_EQ(table_to_json(table), table_to_json(small_table()));
}

TEST_F(CorpusManifestTest, FingerprintIsWhatTheCorpusIs) {
  const std::string fingerprint = corpus_fingerprint(small_table());
  CorpusTable table = small_table();
  table.attributes.created_by = "another program";
  table.datasets[kTokensPath].offset += 1000;
  EXPECT_EQ(corpus_fingerprint(table), fingerprint);
  table.datasets[kTokensPath].sha256 = "s9";
  EXPECT_NE(corpus_fingerprint(table), fingerprint);
  table = small_table();
  table.attributes.eos_id = 0;
  EXPECT_NE(corpus_fingerprint(table), fingerprint);
}

TEST_F(CorpusManifestTest, EveryEditIsNoticed) {
  const Json good = Json::parse(manifest_to_json(small_manifest()));
  RandomStream random(5, RandomPurpose::kTest, 0);
  const std::string text = good.dump();
  int equal = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    std::string edited = text;
    edited[random.below(edited.size())] = static_cast<char>(random.below(256));
    if (random.below(8) == 0) edited.resize(random.below(edited.size()));
    try {
      manifest_from_json(edited, "m.json");
      ++equal;
      ASSERT_EQ(Json::parse(edited), good) << edited;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData);
    }
  }
  EXPECT_LT(equal, 100);
  Json edited = good;
  edited["bytes"] = 167;
  EXPECT_THAT(message([&] { manifest_from_json(edited.dump(), "m.json"); }),
              StartsWith("m.json: was edited or damaged"));
}

TEST_F(CorpusManifestTest, WrongValuesUnderARightDigest) {
  const auto read = [](const std::function<void(Json&)>& edit) {
    Json json = Json::parse(manifest_to_json(small_manifest()));
    edit(json);
    json.erase("manifest_sha256");
    json["manifest_sha256"] = sha256_hex(json.dump());
    return message([&] { manifest_from_json(json.dump(), "m.json"); });
  };
  EXPECT_THAT(read([](Json& j) { j["format"] = "other"; }), HasSubstr("format: expected"));
  EXPECT_THAT(read([](Json& j) { j["version"] = 2; }), HasSubstr("this program reads 1"));
  EXPECT_THAT(read([](Json& j) { j["bytes"] = -1; }), HasSubstr("bytes: expected a whole number"));
  EXPECT_THAT(read([](Json& j) { j["bytes"] = 1.5; }), HasSubstr("bytes: expected"));
  EXPECT_THAT(read([](Json& j) { j["blocks"] = Json::array(); }), HasSubstr("one digest a block"));
  EXPECT_THAT(read([](Json& j) { j["blocks"] = {1}; }), HasSubstr("blocks[0]: expected a text"));
  EXPECT_THAT(read([](Json& j) { j["bytes"] = UINT64_MAX; }), HasSubstr("one digest a block"));
  EXPECT_THAT(read([](Json& j) { j.erase("sha256"); }), HasSubstr("sha256 is missing"));
  EXPECT_THAT(read([](Json& j) { j["block_bytes"] = 1; }), HasSubstr("block_bytes"));
  EXPECT_THAT(read([](Json& j) { j["datasets"][kTokensPath] = 5; }),
              HasSubstr("expected an object"));
  EXPECT_THAT(read([](Json& j) { j["attributes"]["eos_id"] = UINT64_MAX; }), HasSubstr("eos_id"));
  EXPECT_THAT(read([](Json& j) { j["attributes"]["tokens"] = 11; }), HasSubstr("fingerprint"));
  EXPECT_EQ(read([](Json& j) { j["added_later"] = 1; }), "no error");
}

TEST_F(CorpusManifestTest, TablesMustFitTheFile) {
  EXPECT_NO_THROW(check_table(small_table(), kFileBytes, "a.h5"));
  using Table = CorpusTable;
  const auto train = "/splits/train";
  EXPECT_THAT(refused([](Table& t) { t.attributes.version = 2; }), HasSubstr("this program reads"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.version = 0; }), HasSubstr("version is 0"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.vocab_size = 0; }), HasSubstr("vocab_size is 0"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.vocab_size = 70000; }),
              HasSubstr("expected u32"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.max_id = 300; }),
              HasSubstr("max_id is 300, expected less than 300"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.eos_id = 300; }), HasSubstr("eos_id is 300"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.eos_id = -2; }), HasSubstr("eos_id is -2"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.tokens = 0; }), HasSubstr("tokens is 0"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.documents = 0; }), HasSubstr("documents is 0"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.documents = UINT64_MAX; }),
              HasSubstr("overflow"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.documents = 3; }),
              HasSubstr("/doc_offsets has 3 elements, expected 4"));
  EXPECT_THAT(refused([](Table& t) { t.attributes.tokens = 11; }), HasSubstr("/tokens has 10"));
  EXPECT_THAT(refused([](Table& t) { t.datasets.erase(kTokensPath); }), HasSubstr("/tokens has 0"));
  EXPECT_THAT(refused([](Table& t) { t.datasets.erase(kDocOffsetsPath); }),
              HasSubstr("/doc_offsets"));
  EXPECT_THAT(refused([&](Table& t) { t.datasets.erase(train); }), HasSubstr("has 0 splits"));
  EXPECT_THAT(refused([](Table& t) { t.datasets["/x"] = {}; }), HasSubstr("no part of a corpus"));
  EXPECT_THAT(refused([](Table& t) { t.datasets["/splits/../x"] = {}; }), HasSubstr("no part"));
  EXPECT_THAT(refused([](Table& t) { t.datasets[kTokensPath].dtype = "u64"; }),
              HasSubstr("type u64"));
  EXPECT_THAT(refused([](Table& t) { t.datasets[kTokensPath].bytes = 21; }), HasSubstr("not fit"));
  EXPECT_THAT(refused([&](Table& t) { t.datasets[train].offset = 153; }), HasSubstr("not fit"));
  EXPECT_THAT(refused([](Table& t) { t.datasets[kTokensPath].offset = UINT64_MAX - 5; }),
              HasSubstr("does not fit"));
  EXPECT_THAT(refused([&](Table& t) { t.datasets[train].count = 3; }), HasSubstr("not fit"));
  EXPECT_THAT(refused([](Table& t) {
                // 2^63 elements of 2 bytes wrap around to 0 bytes.
                t.attributes.tokens = std::uint64_t{1} << 63;
                t.datasets[kTokensPath].count = t.attributes.tokens;
                t.datasets[kTokensPath].bytes = 0;
              }),
              HasSubstr("does not fit"));
  EXPECT_THAT(refused([](Table& t) {
                for (int i = 0; i < 17; ++i) t.datasets[concat("/splits/s", i)] = {.dtype = "u64"};
              }),
              HasSubstr("has 18 splits"));
}

TEST_F(CorpusManifestTest, AMissingOneSaysWhatToRun) {
  EXPECT_THAT(message([&] { read_manifest(path("a.h5")); }),
              HasSubstr("pretrain corpus verify --write-manifest " + path("a.h5")));
  EXPECT_EQ(manifest_path("d.x/kjv.h5"), "d.x/kjv.manifest.json");
  EXPECT_EQ(corpus_tokenizer_path("d.x/kjv.h5"), "d.x/kjv.tokenizer.json");
}

}  // namespace
}  // namespace pretrain
