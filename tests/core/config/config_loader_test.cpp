#include "core/config/config_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/error.h"
#include "core/config/option_reader.h"
#include "tests/core/config/sample_options.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class ConfigLoaderTest : public ::testing::Test {
 protected:
  ConfigLoaderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "config_test_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ConfigLoaderTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  // The config of one file as flow text.
  std::string loaded(const std::string& text,
                     const std::vector<std::string>& overrides = {}) const {
    return to_flow(load_config(write("q.yaml", text), overrides).root);
  }

  // The message that loading ends in, with the temporary folder taken out.
  std::string fault(const std::string& text, const std::vector<std::string>& overrides = {},
                    ExitCode code = ExitCode::kBadConfig) const {
    try {
      loaded(text, overrides);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      std::string message = error.what();
      const std::string folder = folder_.string() + "/";
      for (std::size_t at = message.find(folder); at != std::string::npos;) {
        message.erase(at, folder.size());
        at = message.find(folder);
      }
      return message;
    }
    return "no error";
  }

  std::filesystem::path folder_;
};

TEST_F(ConfigLoaderTest, PrecedenceRisesFromDefaultsToOverrides) {
  write("base/inner.yaml", "a: {x: inner, only_inner: 1}\nl: [1, 2, 3]\n");
  write("base/outer.yaml", "include: [inner.yaml]\na: {x: outer, y: outer, z: outer}\n");
  write("second.yaml", "a: {y: second}\n");
  const std::string path =
      write("q.yaml", "include: [base/outer.yaml, second.yaml]\na: {z: file}\nl: [9]\n");
  ConfigNode defaults = ConfigNode::map();
  defaults.set("d", ConfigNode::scalar("default"));
  defaults.set("l", ConfigNode::scalar("default"));
  const LoadedConfig config = load_config(path, {"a.w=1", "--a.w=2", "a.v={k: 1}"}, defaults);
  EXPECT_EQ(to_flow(config.root),
            "{d: default, l: [9], a: {x: outer, only_inner: 1, y: second, z: file, w: 2, "
            "v: {k: 1}}}");
  ASSERT_EQ(config.files.size(), 4U);
  EXPECT_THAT(config.files.front(), HasSubstr("base/inner.yaml"));
  EXPECT_EQ(config.files.back(), path);
  EXPECT_EQ(to_string(config.root.find("a")->find("x")->mark()),
            (folder_ / "base/outer.yaml").string() + ":2:8");
}

TEST_F(ConfigLoaderTest, OverridesFollowTheirGrammar) {
  const std::string text = "a: {b: 1, c: 2}\nl: [1]\nd: {steps: 5}\n";
  EXPECT_EQ(loaded(text, {"a.b=7"}), "{a: {b: 7, c: 2}, l: [1], d: {steps: 5}}");
  EXPECT_EQ(loaded(text, {"l=[1, {x: 2}]"}), "{a: {b: 1, c: 2}, l: [1, {x: 2}], d: {steps: 5}}");
  EXPECT_EQ(loaded(text, {"~a.b"}), "{a: {c: 2}, l: [1], d: {steps: 5}}");
  EXPECT_EQ(loaded(text, {"~a"}), "{l: [1], d: {steps: 5}}");
  EXPECT_EQ(loaded(text, {"~a.b", "a.b=3"}), "{a: {c: 2, b: 3}, l: [1], d: {steps: 5}}");
  EXPECT_EQ(loaded(text, {"a=null"}), "{a: null, l: [1], d: {steps: 5}}");
  EXPECT_EQ(loaded(text, {"a.b=x=y"}), "{a: {b: x=y, c: 2}, l: [1], d: {steps: 5}}");
  EXPECT_EQ(loaded(text, {"a.b="}), "{a: {b: null, c: 2}, l: [1], d: {steps: 5}}");
}

TEST_F(ConfigLoaderTest, OverridesArePlacesOfTheirOwn) {
  const LoadedConfig config = load_config(write("q.yaml", "run: {dir: x}\nmodel: {layers: 2}\n"),
                                          {"run.dir=runs/y", "model.layers=many", "model.hiden=2"});
  ErrorList errors;
  testing::RunOptions run;
  testing::ModelOptions model;
  OptionReader run_reader(config.root, "run", errors);
  run.visit(run_reader);
  EXPECT_EQ(run.dir, "runs/y");
  OptionReader model_reader(config.root, "model", errors);
  model.visit(model_reader);
  model_reader.finish();
  EXPECT_THAT(errors.messages(),
              ElementsAre("override model.layers=many: model.layers: expected a whole number, got "
                          "many",
                          "override model.hiden=2: model.hiden is not an option. Did you mean "
                          "model.hidden?"));
}

TEST_F(ConfigLoaderTest, ASpanReplacesASpan) {
  EXPECT_EQ(loaded("d: {steps: 5}\n", {"d={tokens: 10M}"}), "{d: {tokens: 10M}}");
  EXPECT_EQ(loaded("d: {steps: 5}\n", {"d.tokens=10M"}), "{d: {tokens: 10M}}");
  EXPECT_EQ(loaded("d: {steps: 5, x: 1}\n", {"d.tokens=1"}), "{d: {steps: 5, x: 1, tokens: 1}}");
}

TEST_F(ConfigLoaderTest, BadOverridesAreRefused) {
  const auto usage = [&](const std::string& word) {
    return fault("a: {b: 1}\n", {word}, ExitCode::kUsage);
  };
  EXPECT_EQ(usage("+a.b=2"), "override +a.b=2: the options are a closed set. Write a.b=2");
  EXPECT_EQ(usage("a.b"), "override a.b: expected a.b=c, got no =. Write a.b=VALUE");
  EXPECT_THAT(usage("=1"), HasSubstr("expected a key such as a.b"));
  EXPECT_THAT(usage("a..b=1"), HasSubstr("expected a key such as a.b"));
  EXPECT_THAT(usage("a.=1"), HasSubstr("expected a key such as a.b"));
  EXPECT_THAT(usage(std::string(200, 'a').replace(1, 1, ".") + "=1").size(), ::testing::Gt(0U));
  std::string deep = "a";
  for (int i = 0; i < 40; ++i) deep += ".a";
  EXPECT_THAT(usage(deep + "=1"), HasSubstr("nested deeper than 32 levels"));
  EXPECT_EQ(fault("a: {b: 1}\n", {"~a.c"}),
            "override ~a.c: a.c is not given, so it has its default. Remove this");
  EXPECT_EQ(fault("a: 1\n", {"include=[x.yaml]"}),
            "override include=[x.yaml]: include can stand in files only");
  EXPECT_THAT(fault("a: 1\n", {"a=&x"}), HasSubstr("no error"));
  EXPECT_THAT(fault("a: 1\n", {"a=[&x 1]"}), HasSubstr("override a=[&x 1]: anchors"));
  EXPECT_THAT(fault("a: 1\n", {"a={b: 1, b: 2}"}), HasSubstr("b is given twice. Keep one"));
  EXPECT_THAT(fault("a: 1\n", {"a=x\ty"}), HasSubstr("a tab"));
  EXPECT_THAT(fault("a: 1\n", {"a=\xFF"}), HasSubstr("not UTF-8"));
  EXPECT_THAT(fault("a: 1\n", {"a=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}), HasSubstr("deeper"));
}

TEST_F(ConfigLoaderTest, InterpolationReadsOptionsAndEnvironment) {
  ::setenv("CONFIG_TEST_A", "12", 1);
  ::setenv("CONFIG_TEST_B", "unused", 1);
  ::unsetenv("CONFIG_TEST_C");
  const LoadedConfig config = load_config(
      write("q.yaml",
            "n: name\nx: \"${env:CONFIG_TEST_A}\"\ny: runs/${n}/${m.k}\nm: {k: \"${x}\"}\n"
            "d: ${env:CONFIG_TEST_C,fallback}\ne: ${env:CONFIG_TEST_C,}\nl: $${n}\n"
            "s: cost $5\nlist: [\"${n}\", {z: \"${l}\"}]\n"),
      {"o=${y}!"});
  EXPECT_EQ(to_yaml(config.root),
            "n: name\nx: 12\ny: runs/name/12\nm:\n  k: 12\nd: fallback\ne: null\nl: ${n}\n"
            "s: cost $5\nlist:\n  - name\n  - z: ${n}\no: runs/name/12!\n");
  EXPECT_THAT(config.environment, ElementsAre(Pair("CONFIG_TEST_A", "12")));
  // Only an interpolation alone loses the quotes around it.
  EXPECT_FALSE(config.root.find("x")->quoted());
  EXPECT_THAT(load_config(write("q.yaml", "a: 1\n"), {}).environment, IsEmpty());
}

TEST_F(ConfigLoaderTest, BadInterpolationsAreRefused) {
  ::unsetenv("CONFIG_TEST_C");
  EXPECT_EQ(
      fault("a: 1\nb: x${c.d}\n"),
      "q.yaml:2:4: b: ${c.d} is not given in this configuration. Give c.d or correct the name");
  EXPECT_EQ(fault("b: ${env:CONFIG_TEST_C}\n"),
            "q.yaml:1:4: b: environment variable CONFIG_TEST_C is not set. Set it, or write "
            "${env:CONFIG_TEST_C,default}");
  EXPECT_EQ(fault("a: {b: \"${c}\"}\nc: x${d}\nd: ${a.b}\n"),
            "q.yaml:1:8: a.b: an interpolation leads back to itself (a.b -> c -> d -> a.b)");
  EXPECT_EQ(fault("a: ${a}\n"), "q.yaml:1:4: a: an interpolation leads back to itself (a -> a)");
  EXPECT_THAT(fault("a: ${b\nb: 1\n"), HasSubstr("${ without }"));
  EXPECT_THAT(fault("a: ${env:X,${b}}\nb: 1\n"), HasSubstr("inside an interpolation"));
  EXPECT_THAT(fault("a: ${env:A B}\n"), HasSubstr("names no environment variable"));
  EXPECT_THAT(fault("a: ${env:HF_TOKEN,x}\n"), HasSubstr("${env:HF_TOKEN} looks like a secret"));
  EXPECT_THAT(fault("a: ${b}\nb: {c: 1}\n"), HasSubstr("${b} is a map, expected a scalar"));
  EXPECT_THAT(fault("a: ${b}\nb: [1]\n"), HasSubstr("${b} is a list, expected a scalar"));
  EXPECT_THAT(fault("a: x${b}\nb: null\n"), HasSubstr("${b} is null, expected a scalar"));
  EXPECT_THAT(fault("a: ${}\n"), HasSubstr("is not given"));
  ::setenv("CONFIG_TEST_D", "\xFF", 1);
  EXPECT_THAT(fault("a: ${env:CONFIG_TEST_D}\n"), HasSubstr("CONFIG_TEST_D is not UTF-8"));
}

// Expanded as they stand they would take hours, or all memory.
TEST_F(ConfigLoaderTest, InterpolationBombsAreCheap) {
  std::string doubling = "a0: xxxxxxxxxxxxxxxx\n";
  std::string chain = "b0: x\n";
  std::string wide;
  for (int i = 1; i <= 60; ++i) {
    const std::string before = "${a" + std::to_string(i - 1) + "}";
    doubling += concat("a", i, ": ", before, before, "\n");
    chain.insert(0, concat("b", i, ": ${b", i - 1, "}\n"));
  }
  for (int i = 0; i < 20'000; ++i)
    wide += concat("c", i, ": ${c", (i * 7919) % 20'000 + 20'000, "}\n");
  for (int i = 20'000; i < 40'000; ++i) wide += concat("c", i, ": 1\n");
  EXPECT_THAT(fault(doubling), HasSubstr("interpolations grow above 1 MiB"));
  EXPECT_THAT(fault(chain), HasSubstr("more than 32 interpolations lead to each other"));
  EXPECT_THAT(fault(wide), HasSubstr("no error"));
}

TEST_F(ConfigLoaderTest, IncludesAreChecked) {
  write("loop_a.yaml", "include: [loop_b.yaml]\n");
  write("loop_b.yaml", "x: 1\ninclude: [./loop_a.yaml]\n");
  EXPECT_EQ(fault("include: [loop_a.yaml]\n"),
            "loop_b.yaml:2:11: include: loop_a.yaml includes itself. Remove one of the includes");
  EXPECT_EQ(fault("include: [q.yaml]\n"),
            "q.yaml:1:11: include: q.yaml includes itself. Remove one of the includes");
  EXPECT_EQ(fault("a: 1\ninclude: [none.yaml]\n"),
            "q.yaml:2:11: include: none.yaml cannot be read: No such file or directory. Check the "
            "path");
  EXPECT_THAT(fault("include: x.yaml\n"), HasSubstr("q.yaml:1:10: include: expected a list"));
  EXPECT_THAT(fault("include: [[x]]\n"), HasSubstr("q.yaml:1:11: include: expected a file"));
  EXPECT_THAT(fault("include: [\"${env:HOME}/x\"]\n"), HasSubstr("comes after including"));
  write("bad.yaml", "a: &x 1\n");
  EXPECT_THAT(fault("include: [bad.yaml]\n"), HasSubstr("bad.yaml:1:4: anchors"));
}

TEST_F(ConfigLoaderTest, IncludeBombIsCheap) {
  for (int i = 0; i < 20; ++i) {
    write(concat("i", i, ".yaml"), concat("include: [i", i + 1, ".yaml, i", i + 1, ".yaml]\n"));
  }
  write("i20.yaml", "a: 1\n");
  EXPECT_THAT(fault("include: [i0.yaml]\n"), HasSubstr("include: more than 100 files"));
}

TEST_F(ConfigLoaderTest, UnreadableFilesAreNamed) {
  const auto message = [](const std::string& path) -> std::string {
    try {
      load_config(path, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadConfig);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message((folder_ / "none.yaml").string()),
              HasSubstr("none.yaml cannot be read: No such file or directory. Check the path"));
  EXPECT_THAT(message(folder_.string()), HasSubstr("cannot be read: Is a directory"));
}

TEST_F(ConfigLoaderTest, ResolvedTextIsReadWithoutIncludesAndInterpolation) {
  const ConfigNode root = parse_config_text("a: ${b}\n", "config.resolved.yaml");
  EXPECT_EQ(root.find("a")->text(), "${b}");
  EXPECT_TRUE(root.find("a")->mark().from_working_directory);
  try {
    parse_config_text("a: 1\na: 2\n", "config.resolved.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadConfig);
    EXPECT_STREQ(error.what(),
                 "config.resolved.yaml:2:1: a is given twice (first at 1:1). Keep one");
  }
}

TEST_F(ConfigLoaderTest, EnvironmentCanOverride) {
  ::setenv("PRETRAIN__train__lr", "0.5", 1);
  ::setenv("PRETRAIN__model__moe__top_k", "3", 1);
  ::setenv("PRETRAIN_OTHER", "x", 1);
  const std::vector<std::string> words = environment_overrides();
  ::unsetenv("PRETRAIN__train__lr");
  ::unsetenv("PRETRAIN__model__moe__top_k");
  ::unsetenv("PRETRAIN_OTHER");
  EXPECT_THAT(words, ElementsAre("model.moe.top_k=3", "train.lr=0.5"));
}

}  // namespace
}  // namespace pretrain
