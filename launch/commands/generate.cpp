#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>

#include "core/base/byte_size.h"
#include "core/base/json/json_writer.h"
#include "core/metrics/number_format.h"
#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/hugging_face/exported_model.h"
#include "launch/prompt_text.h"
#include "objectives/decoding/beam_search.h"
#include "objectives/decoding/generation.h"
#include "objectives/decoding/scoring.h"

namespace pretrain {
namespace {

// The most likely tokens for each masked place of the prompt, and the text with the best ones.
void print_fillings(const PromptText& text, Model& model, const std::string& prompt,
                    std::int64_t candidates) {
  std::vector<std::int64_t> row = text.encoder_row(prompt);
  if (std::find(row.begin(), row.end(), text.mask()) == row.end()) {
    fail(ExitCode::kUsage, "generate: the model is an encoder and fills masked places; write ",
         text.mask_text(), " into the prompt");
  }
  const auto fillings = fill_masks(model, row, text.mask(), candidates);
  std::size_t place = 0;
  for (std::size_t at = 0; at < row.size(); ++at) {
    if (row[at] != text.mask()) continue;
    const std::vector<std::int64_t> before(row.begin(), row.begin() + std::ptrdiff_t(at));
    std::cout << "place " << place + 1 << ":";
    for (const Filling& filling : fillings[place]) {
      std::cout << "  " << json_string(text.text().after(before, {filling.token})) << " "
                << fixed(filling.probability, 4);
    }
    std::cout << "\n";
    row[at] = fillings[place++][0].token;
  }
  std::cout << text.text().decode(row) << "\n";
}

// Beams are not moved along as draws are: all of a text is before the model.
void require_room(const Model& model, std::size_t given, std::int64_t tokens) {
  const std::int64_t room = model.max_positions() + 1 - static_cast<std::int64_t>(given);
  if (tokens <= room) return;
  fail(ExitCode::kUsage, "generate: --tokens ", tokens, " behind ", plural(given, "token"),
       " do not fit the model's ", model.max_positions(), " positions with --beams. ",
       room > 0 ? concat("Give at most --tokens ", room) : std::string("Shorten the prompt"));
}

}  // namespace

ExitCode run_generate(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Continues a text with a decoder; answers one with an encoder-decoder; fills the\n"
      "masked places of one ([MASK]) with an encoder.",
      "pretrain generate");
  std::string checkpoint;
  std::string prompt;
  std::int64_t tokens = 100;
  std::int64_t count = 1;
  std::int64_t candidates = 5;
  bool greedy = false;
  BeamOptions beams;
  beams.beams = 1;
  SamplingOptions sampling;
  sampling.temperature = 0.8;
  app.add_option("CKPT", checkpoint, "run, RUN:best, RUN:STEP, checkpoint, or Hugging Face folder")
      ->required();
  app.add_option("--prompt", prompt, "text to continue; - reads the standard input")->required();
  within(app.add_option("--tokens", tokens, "length of the continuation"), std::int64_t{1},
         std::int64_t{1} << 30)
      ->capture_default_str();
  within(app.add_option("--samples", count, "number of continuations"), std::int64_t{1},
         std::int64_t{1} << 20)
      ->capture_default_str();
  app.add_flag("--greedy", greedy, "always the most likely token (temperature 0)");
  within(app.add_option("--temperature", sampling.temperature, "logits are divided by it"), 0.0,
         100.0)
      ->capture_default_str();
  within(app.add_option("--top-k", sampling.top_k, "only the k most likely tokens; 0: all"),
         std::int64_t{0}, std::int64_t{1} << 30)
      ->capture_default_str();
  within(app.add_option("--top-p", sampling.top_p,
                        "only the most likely tokens up to this probability"),
         0.0, 1.0)
      ->capture_default_str();
  app.add_option("--seed", sampling.seed, "of the draws")->capture_default_str();
  CLI::Option* beam_search_option =
      within(app.add_option("--beams", beams.beams, "so many texts of a beam search, not drawn"),
             std::int64_t{1}, std::int64_t{1024});
  beam_search_option->capture_default_str();
  for (const char* drawing :
       {"--samples", "--greedy", "--temperature", "--top-k", "--top-p", "--seed"}) {
    beam_search_option->excludes(app.get_option(drawing));
  }
  within(
      app.add_option("--length-penalty", beams.length_penalty, "beams: log-probability / length^P"),
      0.0, 10.0)
      ->capture_default_str();
  within(app.add_option("--candidates", candidates, "encoders: tokens shown for a masked place"),
         std::int64_t{1}, std::int64_t{1000})
      ->capture_default_str();
  app.footer("Example: pretrain generate runs/quickstart --prompt \"In the beginning\"");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  if (greedy) sampling.temperature = 0;
  if (prompt == "-") prompt.assign(std::istreambuf_iterator<char>(std::cin), {});

  at::set_num_threads(process.threads_per_rank());
  const LoadedModel loaded = load_model(checkpoint);
  const PromptText text(loaded);
  Model& model = *loaded.model;
  if (model.kind() == ModelKind::kEncoder) {
    print_fillings(text, model, prompt, candidates);
    return ExitCode::kOk;
  }
  const bool decodes = model.kind() == ModelKind::kEncoderDecoder;
  const std::vector<std::int64_t> ids = decodes ? text.encode(prompt) : text.decoder_row(prompt);
  std::vector<std::int64_t> source = ids;
  if (decodes && text.end() >= 0) source.push_back(text.end());
  if (beams.beams > 1) {
    beams.tokens = tokens;
    beams.stop_id = text.end();
    const DecoderState start(model, decodes ? source : std::vector<std::int64_t>());
    const auto first = decodes ? std::vector<std::int64_t>{text.start()} : ids;
    require_room(model, first.size(), tokens);
    for (const Hypothesis& found : beam_search(start, first, beams)) {
      std::cout << fixed(found.score(beams.length_penalty), 4) << "  " << (decodes ? "" : prompt)
                << text.text().after(decodes ? std::vector<std::int64_t>() : ids, found.tokens)
                << "\n";
    }
    return ExitCode::kOk;
  }
  for (std::int64_t sample = 0; sample < count; ++sample) {
    TokenStream stream(text.text(), decodes ? std::vector<std::int64_t>() : ids);
    if (!decodes) std::cout << prompt << std::flush;
    const auto print = [&](std::int64_t id) {
      if (id != text.end()) std::cout << stream.push(id) << std::flush;
      return process.stop_request() == StopRequest::kNone;
    };
    const auto number = static_cast<std::uint64_t>(sample);
    if (decodes) {
      decode(model, source, text.start(), tokens, sampling, text.end(), number, print);
    } else {
      generate(model, ids, tokens, sampling, text.end(), number, print);
    }
    std::cout << stream.finish() << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace pretrain
