#include "core/config/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/config/yaml/yaml_reader.h"
#include "tests/core/config/sample_options.h"

namespace pretrain {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

OptionTable sample_table() {
  OptionTable table;
  testing::SampleOptions options;
  testing::MaskedOptions masked;
  table.begin("run");
  options.run.visit(table);
  table.begin("data");
  options.data.visit(table);
  table.begin("model");
  options.model.visit(table);
  table.begin("train");
  options.train.visit(table);
  table.begin("objective");
  options.objective.visit(table);
  table.begin("objective", "causal_lm");
  options.causal.visit(table);
  table.begin("objective", "masked_lm");
  masked.visit(table);
  masked.visit(table);  // shown twice, listed once
  EXPECT_FALSE(options.train.early_stop) << "describing must not change values";
  EXPECT_TRUE(options.data.sources.empty());
  return table;
}

const OptionRow& row(const OptionTable& table, const std::string& key) {
  for (const OptionRow& candidate : table.rows()) {
    if (candidate.key() == key) return candidate;
  }
  throw std::out_of_range(key);
}

TEST(OptionTableTest, RowsSayAllOfAnOption) {
  const OptionTable table = sample_table();
  const OptionRow& micro_batch = row(table, "train.micro_batch");
  EXPECT_EQ(micro_batch.type_text(), "int or auto");
  EXPECT_EQ(micro_batch.default_text, "auto");
  EXPECT_EQ(micro_batch.range_text(), "1 to 1048576");
  EXPECT_EQ(row(table, "train.bucket").type_text(), "bytes");
  EXPECT_EQ(row(table, "train.bucket").default_text, "25MiB");
  EXPECT_EQ(row(table, "train.bucket").range_text(), ">= 1MiB");
  EXPECT_EQ(row(table, "train.save").default_text, "1800s");
  EXPECT_EQ(row(table, "train.keep_every").type_text(), "span or null");
  EXPECT_EQ(row(table, "train.warmup").default_text, "{fraction: 0.01}");
  EXPECT_EQ(row(table, "train.duration").default_text, "required");
  EXPECT_EQ(row(table, "train.betas").default_text, "[0.9, 0.95]");
  EXPECT_EQ(row(table, "train.early_stop").type_text(), "map or null");
  EXPECT_EQ(row(table, "train.early_stop.patience").default_text, "3");
  EXPECT_EQ(row(table, "data.sources").type_text(), "list of maps");
  EXPECT_EQ(row(table, "data.sources[].path").type_text(), "path");
  EXPECT_EQ(row(table, "data.packing").type_text(), "packed or documents");
  EXPECT_EQ(row(table, "run.resume").type_text(), "auto, never, require or path");
  EXPECT_EQ(row(table, "run.tags").type_text(), "map of text");
  EXPECT_EQ(row(table, "model.ffn").default_text, "4 x hidden");
  EXPECT_EQ(row(table, "model.moe.top_k").section, "model.moe");
  EXPECT_EQ(row(table, "objective.mask_prob").component, "masked_lm");
  EXPECT_EQ(row(table, "objective.label_smoothing").component, "causal_lm, masked_lm");
  EXPECT_EQ(row(table, "objective.name").component, "");
}

TEST(OptionTableTest, TextShowsEachRowOnceAndKnowsPrefixes) {
  const OptionTable table = sample_table();
  const std::string text = options_text(table.rows());
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
            table.rows().size() + 1);
  for (const OptionRow& r : table.rows()) EXPECT_THAT(text, HasSubstr(concat("\n", r.key(), " ")));
  EXPECT_THAT(text, HasSubstr("run.seed !"));
  const std::string part = options_text(table.rows(), "model.moe");
  EXPECT_THAT(part, HasSubstr("model.moe.top_k"));
  EXPECT_THAT(part, Not(HasSubstr("model.layers")));
}

TEST(OptionTableTest, MarkdownHasATableForEachSection) {
  const OptionTable table = sample_table();
  const std::string page = options_markdown(table.rows());
  for (const char* section : {"run", "data", "model", "train", "objective"}) {
    EXPECT_THAT(page, HasSubstr(std::string("\n## ") + section + "\n"));
  }
  EXPECT_THAT(page, HasSubstr("| `data.sequence_length` ! | count | 1024 | positions | row length "
                              "(1 to 16777216) |\n"));
  EXPECT_THAT(page, HasSubstr("of positions (0 to 1) [masked_lm] |\n"));
}

// Follows the dotted key of a row through the schema.
const json* schema_of(const json& schema, const OptionRow& wanted) {
  const json* node = &schema;
  std::string key = wanted.key() + '.';
  while (!key.empty()) {
    std::string name = key.substr(0, key.find('.'));
    key.erase(0, name.size() + 1);
    const bool is_list = name.ends_with("[]");
    if (is_list) name.resize(name.size() - 2);
    const auto object = [](const json& s) -> const json& {
      if (s.contains("anyOf")) {
        for (const json& option : s["anyOf"]) {
          if (option.contains("properties")) return option;
        }
      }
      return s;
    };
    const json& properties = object(*node).at("properties");
    if (!properties.contains(name)) return nullptr;
    node = &properties[name];
    if (is_list) node = &node->at("items");
  }
  return node;
}

TEST(OptionTableTest, SchemaIsJsonWithEachRow) {
  const OptionTable table = sample_table();
  const json schema = json::parse(options_schema(table.rows()));
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_TRUE(schema["properties"].contains("include"));
  for (const OptionRow& r : table.rows()) {
    const json* found = schema_of(schema, r);
    ASSERT_NE(found, nullptr) << r.key();
    EXPECT_THAT((*found)["description"].get<std::string>(), HasSubstr(r.info.meaning)) << r.key();
  }
  const json& duration = schema["properties"]["train"]["properties"]["duration"];
  EXPECT_EQ(duration["maxProperties"], 1);
  EXPECT_FALSE(duration["properties"].contains("fraction"));
  const json& warmup = schema["properties"]["train"]["properties"]["warmup"];
  EXPECT_TRUE(warmup["properties"].contains("fraction"));
  const json& mask = schema["properties"]["objective"]["properties"]["mask_prob"];
  EXPECT_THAT(mask["description"].get<std::string>(), HasSubstr("[masked_lm]"));
  EXPECT_EQ(options_schema(table.rows()), options_schema(sample_table().rows()));
}

TEST(OptionTableTest, ComponentsThatReadAKeyDifferentlyAreBothInTheSchema) {
  struct Float {
    double x = 1;
    void visit(OptionVisitor& visitor) { visitor.option("x", x, {.meaning = "one"}); }
  };
  struct Flag {
    bool x = true;
    void visit(OptionVisitor& visitor) { visitor.option("x", x, {.meaning = "two"}); }
  };
  OptionTable table;
  Float as_float;
  Flag as_flag;
  table.begin("s", "a");
  as_float.visit(table);
  table.begin("s", "b");
  as_flag.visit(table);
  EXPECT_EQ(table.rows().size(), 2U);
  const json x = json::parse(options_schema(table.rows()))["properties"]["s"]["properties"]["x"];
  EXPECT_EQ(x["anyOf"].size(), 2U);
  EXPECT_THAT(x["description"].get<std::string>(), HasSubstr("one [a]"));
  EXPECT_THAT(x["description"].get<std::string>(), HasSubstr("two [b]"));
}

TEST(OptionTableTest, KeysAreSortedAndDistinct) {
  const std::vector<std::string> keys = dotted_keys(sample_table().rows());
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
  EXPECT_THAT(keys, ::testing::Contains("train.early_stop.patience"));
  EXPECT_THAT(keys, ::testing::Contains("data.sources"));
  EXPECT_THAT(keys, Not(::testing::Contains("data.sources[].path")));
}

std::string sample_with(const std::string& from, const std::string& to) {
  const std::string text = testing::kSampleConfig;
  const std::size_t at = text.find(from);
  return text.substr(0, at) + to + text.substr(at + from.size());
}

ConfigNode identity_of(const std::string& text) {
  ErrorList errors;
  const ConfigNode root = read_yaml(text, Mark{.file = "q.yaml", .line = 1, .column = 1}, errors);
  testing::SampleOptions options;
  const ConfigNode resolved = testing::read_options(root, options, errors);
  EXPECT_TRUE(errors.empty()) << errors.messages()[0];
  return identity_part(sample_table().rows(), resolved);
}

TEST(OptionTableTest, IdentityIsWhatIdentityRowsSay) {
  const ConfigNode identity = identity_of(testing::kSampleConfig);
  EXPECT_EQ(to_flow(identity),
            "{run: {seed: 7}, data: {sequence_length: 1000, weights: {kjv: 1.0, web: 0.25}, "
            "shuffle: false}, model: {layers: 4}, objective: {name: causal_lm, label_smoothing: "
            "0.1}}");
  EXPECT_TRUE(identity_of(sample_with("dropout: 1e-1", "dropout: 0.2")) == identity);
  EXPECT_FALSE(identity_of(sample_with("layers: 4", "layers: 5")) == identity);
}

}  // namespace
}  // namespace pretrain
