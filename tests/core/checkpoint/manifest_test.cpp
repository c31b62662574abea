#include "core/checkpoint/manifest.h"

#include <cmath>
#include <functional>

#include "core/base/digest.h"
#include "core/checkpoint/training_state.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::expect_error;

Manifest sample() {
  Manifest manifest;
  manifest.step = 12;
  manifest.tokens = std::uint64_t{1} << 60;
  manifest.time = "2026-11-23T01:04:49Z";
  manifest.world = 2;
  manifest.mesh = {2, 1, 1, 1};
  manifest.config_sha256 = sha256_hex("c");
  manifest.identity_sha256 = sha256_hex("i");
  manifest.tokenizer_sha256 = sha256_hex("t");
  manifest.code = {"0.1.0", "abc", "2.13.0"};
  manifest.corpora = {sha256_hex("x")};
  manifest.eval = {{"valid", 3.1415926535897931}};
  for (const char* name : {"a.safetensors", "b.safetensors"}) {
    manifest.files.push_back({name, 100, xxh3_128_hex({}), sha256_hex(name)});
  }
  manifest.tensors["w"] = {
      "F32", {2, 3}, {{"a.safetensors", "w@0:4", 0, 4}, {"b.safetensors", "w@4:6", 4, 6}}};
  manifest.tensors["none"] = {"I64", {0}, {{"a.safetensors", "none", 0, 0}}};
  return manifest;
}

TEST(Manifest, RoundTrip) {
  const Manifest manifest = sample();
  const std::string json = manifest_to_json(manifest);
  EXPECT_EQ(manifest_from_json(json, "m"), manifest);
  EXPECT_EQ(manifest_checksums(manifest, json),
            sha256_hex(json) + "  manifest.json\n" + sha256_hex("a.safetensors") +
                "  a.safetensors\n" + sha256_hex("b.safetensors") + "  b.safetensors\n");
  Manifest diverged = manifest;
  diverged.eval["valid"] = std::nan("");
  EXPECT_TRUE(std::isnan(manifest_from_json(manifest_to_json(diverged), "m").eval.at("valid")));
}

TEST(Manifest, PiecesMustTile) {
  using Edit = std::function<void(ManifestTensor&)>;
  const std::pair<const char*, Edit> cases[] = {
      {"hole or overlap at element 4",
       [](auto& w) {
         w.pieces[1] = {"b.safetensors", "w@5:6", 5, 6};
       }},
      {"hole or overlap at element 3",
       [](auto& w) {
         w.pieces[1] = {"b.safetensors", "w@3:6", 3, 6};
       }},
      {"hole or overlap at element 0", [](auto& w) { w.pieces.erase(w.pieces.begin()); }},
      {"pieces have 4 of 6 elements", [](auto& w) { w.pieces.pop_back(); }},
      {"pieces have 7 of 6 elements",
       [](auto& w) {
         w.pieces[1] = {"b.safetensors", "w@4:7", 4, 7};
       }},
      {"pieces have 0 of 6 elements", [](auto& w) { w.pieces.clear(); }},
      {"hole or overlap",
       [](auto& w) {
         w.pieces.push_back({"b.safetensors", "w@6:6", 6, 6});
       }},
      {"key v@4:6 does not name its range", [](auto& w) { w.pieces[1].key = "v@4:6"; }},
      {"file c.safetensors is not listed", [](auto& w) { w.pieces[1].file = "c.safetensors"; }},
      {"type F31 is not known", [](auto& w) { w.dtype = "F31"; }},
      {"count of elements",
       [](auto& w) {
         w.shape = {1LL << 40, 1LL << 40};
       }},
  };
  for (const auto& [part, edit] : cases) {
    Manifest manifest = sample();
    edit(manifest.tensors["w"]);
    expect_error(ExitCode::kBadData, concat("m: tensors: w"),
                 [&] { manifest_from_json(manifest_to_json(manifest), "m"); });
    expect_error(ExitCode::kBadData, part,
                 [&] { manifest_from_json(manifest_to_json(manifest), "m"); });
  }
}

TEST(Manifest, RefusesWhatItMustNot) {
  const std::string good = manifest_to_json(sample());
  const auto refused = [&](const std::string& from, const std::string& to, const char* part) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    expect_error(ExitCode::kBadData, part, [&] { manifest_from_json(text, "m"); });
  };
  refused("pretrain-checkpoint", "other", "format: expected pretrain-checkpoint");
  refused("\"version\": 1", "\"version\": 2", "version 2 is newer than 1");
  refused("\"step\": 12", "\"step\": -12", "step: expected a whole number");
  refused("\"step\": 12", "\"step\": 12, \"step\": 12", "given twice");
  refused("\"world\": 2", "\"world\": 9223372036854775808", "world: does not fit 63 bits");
  refused("\"axis\": null", "\"axis\": 0", "axis: expected null");
  refused("\"name\": \"a.safetensors\"", "\"name\": \"../a.safetensors\"", "is not a name of");
  refused("\"name\": \"a.safetensors\"", "\"name\": \".\"", "is not a name of");
  refused("\"name\": \"a.safetensors\"", "\"name\": \"b.safetensors\"", "listed twice");
  refused(sha256_hex("a.safetensors"), "00", "expected 64 hex digits");
  refused("\"tensors\"", "\"tensor\"", "tensors is missing");
}

TEST(TrainingState, RoundTripsBitForBit) {
  TrainingState state;
  state.step = 1;
  state.tokens = 2;
  state.real_tokens = 3;
  state.samples = 4;
  state.targets = ~std::uint64_t{0};
  state.flops = 1.0 / 3.0 * 1e300;
  state.hours = 0.1;
  state.attempt = 5;
  state.seed = std::uint64_t{1} << 63;
  state.skipped = 6;
  state.consecutive_skips = 7;
  state.lineage = 8;
  state.data = {"key", {{"kjv", "f1"}, {"web \"q\"", "f2"}}, 9};
  EXPECT_EQ(training_state_from_json(training_state_to_json(state), "s"), state);
  state.best = {"valid", 1.0 / 7.0, 10};
  EXPECT_EQ(training_state_from_json(training_state_to_json(state), "s"), state);
  state.best->loss = HUGE_VAL;
  EXPECT_EQ(training_state_from_json(training_state_to_json(state), "s"), state);
}

TEST(TrainingState, NamesWhatIsWrong) {
  const std::string good = training_state_to_json({});
  const auto refused = [&](const std::string& from, const std::string& to, const char* part) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    expect_error(ExitCode::kBadData, part, [&] { training_state_from_json(text, "s"); });
  };
  refused("\"version\": 1", "\"version\": 2", "s: version 2 is newer than 1");
  refused("\"step\": 0", "\"step\": 0.5", "s: step: expected a whole number");
  refused("\"order_key\"", "\"order\"", "s: data: order_key is missing");
  refused("\"best\": null", "\"best\": {}", "s: best: set is missing");
}

}  // namespace
}  // namespace pretrain
