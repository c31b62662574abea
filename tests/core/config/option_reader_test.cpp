#include "core/config/option_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/config_loader.h"
#include "core/config/yaml/yaml_reader.h"
#include "tests/core/config/sample_options.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kSampleConfig;
using ::testing::Pair;
using testing::read_options;
using testing::SampleOptions;

std::vector<std::string> faults(const std::string& text) {
  ErrorList errors;
  const ConfigNode root = read_yaml(text, Mark{.file = "q.yaml", .line = 1, .column = 1}, errors);
  SampleOptions options;
  read_options(root, options, errors);
  return errors.messages();
}

// Reads what is required besides `text`, which stands first so that its lines count from 1.
std::string fault(const std::string& text) {
  std::string whole = text;
  if (text.find("data:") == std::string::npos) whole += "data: {sources: [{path: x}]}\n";
  if (text.find("train:") == std::string::npos) whole += "train: {duration: {steps: 1}}\n";
  const std::vector<std::string> messages = faults(whole);
  if (messages.empty()) return "no error";
  EXPECT_EQ(messages.size(), 1U) << messages[0] << "\n" << messages.back();
  return messages[0];
}

TEST(OptionReaderTest, EveryKindOfOptionIsRead) {
  ErrorList errors;
  const ConfigNode root =
      read_yaml(kSampleConfig, Mark{.file = "dir/q.yaml", .line = 1, .column = 1}, errors);
  SampleOptions options;
  const ConfigNode resolved = read_options(root, options, errors);
  ASSERT_TRUE(errors.empty()) << errors.messages()[0];
  EXPECT_EQ(options.run.dir, "dir/runs/a");
  EXPECT_EQ(options.run.seed, 7);
  EXPECT_EQ(options.run.resume, "never");
  EXPECT_THAT(options.run.tags, ElementsAre(Pair("n", "5"), Pair("team", "blue #1")));
  EXPECT_EQ(options.data.sequence_length, 1000);
  ASSERT_EQ(options.data.sources.size(), 2U);
  EXPECT_EQ(options.data.sources[0].path, "dir/data/kjv.h5");
  EXPECT_EQ(options.data.sources[1].path, "/abs/web-*.h5");
  EXPECT_EQ(options.data.sources[1].weight, 2.5);
  EXPECT_THAT(options.data.weights, ElementsAre(Pair("kjv", 1), Pair("web", 0.25)));
  EXPECT_FALSE(options.data.shuffle);
  EXPECT_EQ(options.model.ffn, 1024);
  EXPECT_EQ(options.model.moe.experts, 8);
  EXPECT_EQ(options.train.duration, (Span{Span::Unit::kTokens, 1e7}));
  EXPECT_EQ(options.train.warmup, (Span{Span::Unit::kFraction, 0.02}));
  EXPECT_EQ(options.train.keep_every, (Span{Span::Unit::kHours, 0.5}));
  EXPECT_EQ(options.train.micro_batch, 8);
  ASSERT_TRUE(options.train.early_stop);
  EXPECT_EQ(options.train.early_stop->patience, 2);
  EXPECT_THAT(options.train.betas, ElementsAre(0.9, 0.999));
  EXPECT_THAT(options.train.window, ElementsAre(10, 20));
  EXPECT_THAT(options.train.hook, ElementsAre("echo", "a: b", ">"));
  EXPECT_EQ(options.train.bucket, 50 << 20);
  EXPECT_EQ(options.train.save, 5400);
  EXPECT_EQ(options.train.step, 90);
  EXPECT_FALSE(options.train.prefix);
  EXPECT_FALSE(options.train.prometheus);
  EXPECT_EQ(options.causal.label_smoothing, 0.1);
}

TEST(OptionReaderTest, ResolvedTextReadsBackToItself) {
  for (const std::string& text :
       {std::string(kSampleConfig),
        std::string("data: {sources: [{path: x}]}\ntrain: {duration: {steps: 1}}\n")}) {
    ErrorList errors;
    const ConfigNode root =
        read_yaml(text, Mark{.file = "dir/q.yaml", .line = 1, .column = 1}, errors);
    SampleOptions options;
    const std::string resolved = to_yaml(read_options(root, options, errors));
    SampleOptions again;
    const ConfigNode second =
        read_options(parse_config_text(resolved, "config.resolved.yaml"), again, errors);
    ASSERT_TRUE(errors.empty()) << errors.messages()[0] << "\n" << resolved;
    EXPECT_EQ(to_yaml(second), resolved);
    EXPECT_EQ(again.run.dir, options.run.dir);
    EXPECT_EQ(again.train.duration, options.train.duration);
  }
}

TEST(OptionReaderTest, ResolvedHoldsCanonicalValuesAndDefaults) {
  ErrorList errors;
  const ConfigNode root = read_yaml(
      "model: {hidden: 100}\ndata: {sources: [{path: x}]}\ntrain: {duration: {tokens: 3k}, save: "
      "2h, lr: 1e-1}\n",
      Mark{.file = "q.yaml", .line = 1, .column = 1}, errors);
  SampleOptions options;
  const ConfigNode resolved = read_options(root, options, errors);
  ASSERT_TRUE(errors.empty()) << errors.messages()[0];
  EXPECT_EQ(to_flow(*resolved.find("model")),
            "{layers: 12, hidden: 100, ffn: 400, dropout: 0.0, moe: {experts: 0, top_k: 2}}");
  EXPECT_EQ(to_flow(*resolved.find("data")),
            "{sequence_length: 1024, sources: [{path: x, split: train, weight: null}], packing: "
            "packed, weights: {}, shuffle: true}");
  EXPECT_EQ(to_flow(*resolved.find("train")),
            "{duration: {tokens: 3000}, warmup: {fraction: 0.01}, keep_every: null, micro_batch: "
            "auto, early_stop: null, lr: 0.1, betas: [0.9, 0.95], window: null, hook: null, "
            "bucket: 25MiB, save: 7200s, step: auto, zero: 1, prefix: uniform, prometheus: null}");
}

struct FaultCase {
  const char* text;
  const char* message;
};

class OptionFaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(OptionFaultTest, NamesPlaceKeyAndExpectation) {
  EXPECT_EQ(fault(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, OptionFaultTest,
    ::testing::Values(
        FaultCase{"model:\n  hiden: 4\n",
                  "q.yaml:2:3: model.hiden is not an option. Did you mean model.hidden?"},
        FaultCase{"model: {moe: {topk: 1}}\n",
                  "q.yaml:1:15: model.moe.topk is not an option. Did you mean model.moe.top_k?"},
        FaultCase{
            "model: {moe: {something: 1}}\n",
            "q.yaml:1:15: model.moe.something is not an option. Options here: experts, top_k"},
        FaultCase{"modle: {layers: 1}\n",
                  "q.yaml:1:1: modle is not an option. Did you mean model?"},
        FaultCase{"somewhat: 1\n",
                  "q.yaml:1:1: somewhat is not an option. Options here: run, data, model, train, "
                  "objective"},
        FaultCase{"data: {sources: [{path: x, splt: y}]}\n",
                  "q.yaml:1:28: data.sources[0].splt is not an option. Did you mean "
                  "data.sources[0].split?"},
        FaultCase{"objective:\n  mask_prob: 0.1\n",
                  "q.yaml:2:3: objective.mask_prob is not read by causal_lm (read by masked_lm, "
                  "replaced_token_detection). Remove it"},
        FaultCase{"objective: {generator: {size: 1}}\n",
                  "q.yaml:1:13: objective.generator is not read by causal_lm (read by "
                  "replaced_token_detection). Remove it"},
        FaultCase{"train: {duration: {steps: 1}, micro_batch: 8.5}\n",
                  "q.yaml:1:44: train.micro_batch: expected a whole number or auto, got 8.5"},
        FaultCase{"run: {seed: 010}\n", "q.yaml:1:13: run.seed: 010 has a leading zero. Write 10"},
        FaultCase{"run: {seed: -1}\n",
                  "q.yaml:1:13: run.seed: expected a whole number >= 0, got -1"},
        FaultCase{"run: {seed: 1_000}\n",
                  "q.yaml:1:13: run.seed: expected a whole number, got 1_000. Write 1000"},
        FaultCase{"run: {seed: \"7\"}\n",
                  "q.yaml:1:13: run.seed: expected a whole number, got the quoted text \"7\". "
                  "Remove the quotes"},
        FaultCase{"run: {seed: 9223372036854775808}\n",
                  "q.yaml:1:13: run.seed: expected a smaller value, got 9223372036854775808, which "
                  "does not fit in 64 bits. Lower it"},
        FaultCase{"run: {seed: 1e308}\n",
                  "q.yaml:1:13: run.seed: expected a whole number, got 1e308"},
        FaultCase{"run: {seed: null}\n",
                  "q.yaml:1:13: run.seed: expected a whole number, got null"},
        FaultCase{"run: {seed: [1]}\n",
                  "q.yaml:1:13: run.seed: expected a whole number, got a list"},
        FaultCase{"run:\n  seed:\n  dir: x\n",
                  "q.yaml:2:3: run.seed: expected a whole number, got null"},
        FaultCase{"run: {dir: {a: b}}\n", "q.yaml:1:12: run.dir: expected a path, got a map"},
        FaultCase{"run: {resume: null}\n",
                  "q.yaml:1:15: run.resume: expected auto, never or require or a path, got null"},
        FaultCase{"run: {tags: [a]}\n",
                  "q.yaml:1:13: run.tags: expected a map of text such as {a: b}, got a list"},
        FaultCase{"run: {tags: {a: [1]}}\n", "q.yaml:1:17: run.tags.a: expected text, got a list"},
        FaultCase{"run: 5\n", "q.yaml:1:6: run: expected a map of options, got 5"},
        FaultCase{"run:\n", "q.yaml:1:1: run: expected a map of options, got null"},
        FaultCase{"model: {layers: 0}\n",
                  "q.yaml:1:17: model.layers: expected a whole number from 1 to 10000, got 0"},
        FaultCase{
            "model: {layers: 2147483648}\n",
            "q.yaml:1:17: model.layers: expected a whole number from 1 to 10000, got 2147483648"},
        FaultCase{
            "model: {layers: 4294967296}\n",
            "q.yaml:1:17: model.layers: expected a whole number from 1 to 10000, got 4294967296"},
        FaultCase{"model: {dropout: 1.5}\n",
                  "q.yaml:1:18: model.dropout: expected a number from 0 to 1, got 1.5"},
        FaultCase{"model: {dropout: nan}\n",
                  "q.yaml:1:18: model.dropout: expected a number, got nan"},
        FaultCase{"model: {dropout: .inf}\n",
                  "q.yaml:1:18: model.dropout: expected a number, got .inf"},
        FaultCase{"model: {dropout: 1e309}\n",
                  "q.yaml:1:18: model.dropout: expected a smaller value, got 1e309, which does not "
                  "fit in 64 bits. Lower it"},
        FaultCase{"model: {moe: [1]}\n",
                  "q.yaml:1:14: model.moe: expected a map of options, got a list"},
        FaultCase{"data: {sources: [{path: x}], shuffle: yes}\n",
                  "q.yaml:1:39: data.shuffle: expected true or false, got yes. Write true"},
        FaultCase{
            "data: {sources: [{path: x}], shuffle: \"true\"}\n",
            "q.yaml:1:39: data.shuffle: expected true or false, got the quoted text \"true\""},
        FaultCase{"data: {sources: [{path: x}], packing: document}\n",
                  "q.yaml:1:39: data.packing: expected packed or documents, got document. Did you "
                  "mean documents?"},
        FaultCase{"data: {sources: [{path: x}], sequence_length: 10K}\n",
                  "q.yaml:1:47: data.sequence_length: expected a whole number such as 300 or 10k, "
                  "got 10K"},
        FaultCase{"data: {sources: [{path: x}], weights: {a: -1}}\n",
                  "q.yaml:1:43: data.weights.a: expected a number >= 0, got -1"},
        FaultCase{"data: {sources: {path: x}}\n",
                  "q.yaml:1:17: data.sources: expected a list of maps such as [{..}], got a map"},
        FaultCase{"data: {sources: [x]}\n",
                  "q.yaml:1:18: data.sources[0]: expected a map of options, got x"},
        FaultCase{"data: {shuffle: true}\n",
                  "q.yaml:1:7: data.sources is required and not given. Add it: corpora"},
        FaultCase{
            "data: {sources: [{split: x}]}\n",
            "q.yaml:1:18: data.sources[0].path is required and not given. Add it: file or folder"},
        FaultCase{
            "train: {lr: 1}\n",
            "q.yaml:1:8: train.duration is required and not given. Add it: how long to train"},
        FaultCase{"train: {duration: 100}\n",
                  "q.yaml:1:19: train.duration: expected a map with exactly one of steps, tokens, "
                  "samples, epochs or hours, such as {steps: 100}, got 100"},
        FaultCase{"train: {duration: {steps: 1, hours: 2}}\n",
                  "q.yaml:1:19: train.duration: expected a map with exactly one of steps, tokens, "
                  "samples, epochs or hours, such as {steps: 100}, got steps, hours"},
        FaultCase{"train: {duration: {fraction: 0.5}}\n",
                  "q.yaml:1:19: train.duration: expected a map with exactly one of steps, tokens, "
                  "samples, epochs or hours, such as {steps: 100}, got fraction"},
        FaultCase{"train: {duration: {steps:10}}\n",
                  "q.yaml:1:19: train.duration: expected a map with exactly one of steps, tokens, "
                  "samples, epochs or hours, such as {steps: 100}, got steps:10. Put a blank after "
                  "the colon"},
        FaultCase{"train: {duration: {steps: -5}}\n",
                  "q.yaml:1:27: train.duration.steps: expected a whole number from 0 to "
                  "9007199254740992, got -5"},
        FaultCase{"train: {duration: {steps: 1.5}}\n",
                  "q.yaml:1:27: train.duration.steps: expected a whole number such as 300 or 10k, "
                  "got 1.5"},
        FaultCase{"train: {duration: {tokens: 9223372036854775807}}\n",
                  "q.yaml:1:28: train.duration.tokens: expected a whole number from 0 to "
                  "9007199254740992, got 9223372036854775807"},
        FaultCase{"train: {duration: {hours: inf}}\n",
                  "q.yaml:1:27: train.duration.hours: expected a number, got inf"},
        FaultCase{"train: {duration: {steps: 1}, keep_every: auto}\n",
                  "q.yaml:1:43: train.keep_every: expected a map with exactly one of steps, "
                  "tokens, samples, epochs or hours, such as {steps: 100} or null, got auto"},
        FaultCase{"train: {duration: {steps: 1}, micro_batch: null}\n",
                  "q.yaml:1:44: train.micro_batch: expected a whole number or auto, got null"},
        FaultCase{"train: {duration: {steps: 1}, betas: 0.9}\n",
                  "q.yaml:1:38: train.betas: expected a list of numbers such as [1, 2], got 0.9"},
        FaultCase{"train: {duration: {steps: 1}, betas: [0.9, 2]}\n",
                  "q.yaml:1:44: train.betas[1]: expected a number from 0 to 1, got 2"},
        FaultCase{
            "train: {duration: {steps: 1}, hook: echo}\n",
            "q.yaml:1:37: train.hook: expected a list of text such as [a, b] or null, got echo"},
        FaultCase{"train: {duration: {steps: 1}, bucket: 25}\n",
                  "q.yaml:1:39: train.bucket: expected a size such as 25MiB, got 25. Add a unit: B "
                  "kB MB GB KiB MiB GiB"},
        FaultCase{"train: {duration: {steps: 1}, bucket: 1kB}\n",
                  "q.yaml:1:39: train.bucket: expected a size >= 1MiB, got 1kB"},
        FaultCase{"train: {duration: {steps: 1}, save: 600}\n",
                  "q.yaml:1:37: train.save: expected a time such as 90s or 1h30m, got 600. Add a "
                  "unit: 600s, or m h d"},
        FaultCase{
            "train: {duration: {steps: 1}, save: 1.5s}\n",
            "q.yaml:1:37: train.save: expected a time such as 90s or 1h30m, got 1.5s. Round it"},
        FaultCase{"train: {duration: {steps: 1}, zero: 4}\n",
                  "q.yaml:1:37: train.zero: expected 0, 1, 2 or 3, got 4"},
        FaultCase{"train: {duration: {steps: 1}, prefix: auto}\n",
                  "q.yaml:1:39: train.prefix: expected a number or uniform, got auto"},
        FaultCase{"train: {duration: {steps: 1}, early_stop: 3}\n",
                  "q.yaml:1:43: train.early_stop: expected a map of options, got 3"},
        FaultCase{"train: {duration: {steps: 1}, early_stop: {patience: 0}}\n",
                  "q.yaml:1:54: train.early_stop.patience: expected a whole number >= 1, got 0"}));

TEST(OptionReaderTest, MissingSectionsHaveTheFileAsPlace) {
  EXPECT_THAT(
      faults("run: {}\n"),
      ElementsAre(
          "q.yaml:1:1: data.sources is required and not given. Add it: corpora",
          "q.yaml:1:1: train.duration is required and not given. Add it: how long to train"));
}

TEST(OptionReaderTest, FaultsLeaveTheDefaultAndReadingGoesOn) {
  ErrorList errors;
  const ConfigNode root = read_yaml("model: {layers: x, hidden: y, dropout: 0.5, moe: 3}\n",
                                    Mark{.file = "q.yaml", .line = 1, .column = 1}, errors);
  testing::ModelOptions options;
  OptionReader reader(root, "model", errors);
  options.visit(reader);
  reader.finish();
  EXPECT_EQ(errors.messages().size(), 3U);
  EXPECT_EQ(options.layers, 12);
  EXPECT_EQ(options.dropout, 0.5);
}

TEST(OptionReaderTest, LongValuesAndControlBytesAreCutInMessages) {
  const std::string message = fault(concat("run: {seed: ", std::string(5000, 'x'), "}\n"));
  EXPECT_LT(message.size(), 200U);
  EXPECT_THAT(fault("run: {seed: \"a\\nb\\e[31m\"}\n"), HasSubstr("a\\x0ab\\x1b[31m"));
}

TEST(OptionReaderTest, OverridesAndFilesGivePathsTheirFolder) {
  const auto dir = [](const std::string& text, const Mark& origin) {
    ErrorList errors;
    const ConfigNode root = read_yaml("run: {dir: " + text + "}\n", origin, errors);
    testing::RunOptions options;
    OptionReader reader(root, "run", errors);
    options.visit(reader);
    EXPECT_TRUE(errors.empty());
    return options.dir;
  };
  const Mark nested{.file = "configs/sub/q.yaml", .line = 1, .column = 1};
  EXPECT_EQ(dir("data/x/", nested), "configs/sub/data/x/");
  EXPECT_EQ(dir("../x.h5", nested), "configs/x.h5");
  EXPECT_EQ(dir("/abs/x", nested), "/abs/x");
  EXPECT_EQ(dir("x", Mark{.file = "q.yaml", .line = 1, .column = 1}), "x");
  EXPECT_EQ(dir("x", Mark{.file = "/etc/q.yaml", .line = 1, .column = 1}), "/etc/x");
  Mark resolved = nested;
  resolved.from_working_directory = true;
  EXPECT_EQ(dir("x", resolved), "x");
}

TEST(OptionReaderTest, WordsOfAnOptionalAreTextInQuotes) {
  struct Options {
    std::optional<std::string> name;
    void visit(OptionVisitor& visitor) {
      visitor.option("name", name, {.meaning = "a name", .null_word = "auto"});
    }
  };
  for (const auto& [text, expected, resolved] :
       {std::tuple<std::string, std::optional<std::string>, std::string>{"auto", {}, "auto"},
        {"\"auto\"", "auto", "\"auto\""},
        {"x", "x", "x"}}) {
    ErrorList errors;
    const ConfigNode root = read_yaml("name: " + text + "\n", Mark{.file = "q.yaml"}, errors);
    Options options;
    OptionReader reader(root, "", errors);
    options.visit(reader);
    reader.finish();
    EXPECT_TRUE(errors.empty());
    EXPECT_EQ(options.name, expected);
    EXPECT_EQ(to_flow(*reader.resolved().find("name")), resolved);
  }
}

TEST(OptionReaderTest, GivenItemsDoNotInheritFromDefaultItems) {
  struct Options {
    std::vector<testing::SourceOptions> sources = {{"default", "special", std::nullopt}};
    void visit(OptionVisitor& visitor) { visitor.list("sources", sources, {.meaning = "x"}); }
  };
  ErrorList errors;
  const Mark origin{.file = "q.yaml", .line = 1, .column = 1};
  const ConfigNode given = read_yaml("sources: [{path: y}]\n", origin, errors);
  const ConfigNode absent = read_yaml("{}\n", origin, errors);
  Options with_items;
  Options without;
  OptionReader given_reader(given, "", errors);
  with_items.visit(given_reader);
  OptionReader absent_reader(absent, "", errors);
  without.visit(absent_reader);
  EXPECT_EQ(with_items.sources.at(0).split, "train");
  EXPECT_EQ(without.sources.at(0).split, "special");
  EXPECT_THAT(errors.messages(), ElementsAre(HasSubstr("sources[0].path is required")));
}

}  // namespace
}  // namespace pretrain
