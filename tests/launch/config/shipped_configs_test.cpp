#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/config/config_loader.h"
#include "launch/config/plan.h"

namespace pretrain {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::filesystem::path kConfigs = std::filesystem::path(PRETRAIN_SOURCE_DIR) / "configs";

TEST(ShippedConfigs, EachReadsAndPlans) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".yaml") continue;
    const LoadedConfig loaded = load_config(entry.path().string(), {});
    const RunConfig config = read_config(loaded.root, entry.path().stem().string());
    const BatchLayout layout = plan_batch(config, 1, [](std::int64_t) { return true; });
    EXPECT_GT(make_plan(config, BatchSchedule(layout.sequences()), 1'000'000, 1.0).steps, 0)
        << entry.path();
    EXPECT_TRUE(text_of(entry.path()).starts_with("# yaml-language-server: $schema="));
    ++count;
  }
  EXPECT_GE(count, 2);
}

// The page and the schema are made from the option rows; toy components of the tests excepted,
// also where another component takes their options.
TEST(ShippedConfigs, OptionsPageAndSchemaAreUpToDate) {
  std::vector<OptionRow> rows = all_option_rows();
  std::set<std::string> toys;
  for (const OptionRow& row : rows) {
    if (row.component == "skip_one_lm") toys.insert(row.name + row.info.meaning);
  }
  std::erase_if(rows, [&](const OptionRow& row) {
    return row.component == "skip_one_lm" || toys.contains(row.name + row.info.meaning);
  });
  for (OptionRow& row : rows) {
    std::erase_if(row.info.choices, [](std::string_view name) { return name == "skip_one_lm"; });
  }
  EXPECT_EQ(text_of(kConfigs / "options.md"), options_markdown(rows))
      << "make it again: build/pretrain config --options --markdown > configs/options.md";
  EXPECT_EQ(text_of(kConfigs / "pretrain.schema.json"), options_schema(rows))
      << "make it again: build/pretrain schema > configs/pretrain.schema.json";
}

}  // namespace
}  // namespace pretrain
