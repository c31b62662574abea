#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>

#include "core/checkpoint/checkpoint_reader.h"
#include "core/config/config_loader.h"
#include "core/run/snapshot.h"
#include "core/text/tokenizer.h"
#include "launch/checkpoint_path.h"
#include "launch/commands/command.h"
#include "launch/network.h"
#include "objectives/decoding/generation.h"

namespace pretrain {
namespace {

// Bytes become text as far as whole characters are there; the rest waits for the next token.
class TextPrinter {
 public:
  TextPrinter(const Tokenizer& tokenizer, std::ostream& out) : tokenizer_(tokenizer), out_(out) {}

  void print(std::int64_t id) {
    waiting_ += tokenizer_.decode({static_cast<std::uint32_t>(id)});
    std::size_t whole = waiting_.size();
    const std::size_t longest = std::min<std::size_t>(3, waiting_.size());
    for (std::size_t back = 1; back <= longest; ++back) {
      const auto byte = static_cast<unsigned char>(waiting_[waiting_.size() - back]);
      if (byte < 0x80) break;
      const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 0;
      if (length > back) whole = waiting_.size() - back;
      if (length > 0) break;
    }
    out_ << waiting_.substr(0, whole) << std::flush;
    waiting_.erase(0, whole);
  }
  void finish() { out_ << waiting_ << "\n"; }

 private:
  const Tokenizer& tokenizer_;
  std::ostream& out_;
  std::string waiting_;
};

}  // namespace

ExitCode run_generate(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Continues a text with a trained model.", "pretrain generate");
  std::string checkpoint;
  std::string prompt;
  std::int64_t tokens = 100;
  std::int64_t count = 1;
  bool greedy = false;
  SamplingOptions sampling;
  sampling.temperature = 0.8;
  app.add_option("CKPT", checkpoint, "run, RUN:best, RUN:STEP, or a checkpoint")->required();
  app.add_option("--prompt", prompt, "text to continue; - reads the standard input")->required();
  app.add_option("--tokens", tokens, "length of the continuation")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))
      ->capture_default_str();
  app.add_option("--samples", count, "number of continuations")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20))
      ->capture_default_str();
  app.add_flag("--greedy", greedy, "always the most likely token (temperature 0)");
  app.add_option("--temperature", sampling.temperature, "logits are divided by it")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--top-k", sampling.top_k, "only the k most likely tokens; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--top-p", sampling.top_p, "only the most likely tokens up to this probability")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--seed", sampling.seed, "of the draws")->capture_default_str();
  app.footer("Example: pretrain generate runs/quickstart --prompt \"In the beginning\"");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  if (greedy) sampling.temperature = 0;
  if (prompt == "-") prompt.assign(std::istreambuf_iterator<char>(std::cin), {});

  CheckpointReader reader(checkpoint_path(checkpoint));
  const RunConfig config = read_config(
      parse_config_text(reader.config_yaml(), reader.path() + "/config.resolved.yaml"), "generate");
  const auto tokenizer =
      tokenizer_from_json(reader.tokenizer_json(), reader.path() + "/tokenizer.json");
  at::set_num_threads(process.threads_per_rank());
  const c10::Device cpu(c10::kCPU);
  const auto objective = build_objective(config, *tokenizer, at::kFloat, cpu);
  FlatBuffer parameters(*objective);
  load_parameters(reader, parameters);
  std::vector<std::uint32_t> ids;
  tokenizer->encode(prompt, ids);
  for (std::int64_t sample = 0; sample < count; ++sample) {
    TextPrinter printer(*tokenizer, std::cout);
    std::cout << prompt << std::flush;
    generate(objective->model(), {ids.begin(), ids.end()}, tokens, sampling, tokenizer->eos_id(),
             static_cast<std::uint64_t>(sample), [&](std::int64_t id) {
               printer.print(id);
               return process.stop_request() == StopRequest::kNone;
             });
    printer.finish();
  }
  return ExitCode::kOk;
}

}  // namespace pretrain
