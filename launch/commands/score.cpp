#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <numbers>
#include <numeric>

#include "core/base/json/json_writer.h"
#include "core/base/logging.h"
#include "core/metrics/number_format.h"
#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/prompt_text.h"
#include "objectives/decoding/scoring.h"

namespace pretrain {
namespace {

// One line a text. True and pseudo-likelihoods are named apart and never compared. The first
// `own_tokens` of the logs are those of the text; 0: there is no likelihood of the text alone.
void print_sum(const char* what, const std::vector<double>& logs, const std::string& text,
               std::size_t own_tokens) {
  const double nats = std::accumulate(logs.begin(), logs.end(), 0.0);
  std::cout << what << " " << fixed(nats, 4) << " nats, " << logs.size() << " tokens";
  if (own_tokens > 0) {
    const double own =
        std::accumulate(logs.begin(), logs.begin() + std::ptrdiff_t(own_tokens), 0.0);
    const double bits = -own / std::numbers::ln2 / static_cast<double>(text.size());
    std::cout << ", " << fixed(bits, 4) << " bits per byte";
  }
  std::cout << "  " << json_string(text) << "\n";
}

void print_replaced(const PromptText& prompt, Model& model, const std::string& text) {
  const std::vector<std::int64_t> row = prompt.encoder_row(text);
  const std::vector<double> chances = replaced_probabilities(model, row);
  double pseudo = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == prompt.cls() || row[i] == prompt.sep()) continue;
    const auto before = row.begin() + (i > 0 ? std::ptrdiff_t(i) - 1 : 0);
    const std::string token =
        prompt.text().after({before, row.begin() + std::ptrdiff_t(i)}, {row[i]});
    std::cout << fixed(chances[i], 4) << "  " << json_string(token) << "\n";
    pseudo += std::log1p(-chances[i]);
  }
  std::cout << "log P(nothing replaced) " << fixed(pseudo, 4)
            << " nats (no likelihood of the text)  " << json_string(text) << "\n";
}

// The texts, those of the standard input in place of `-`.
std::vector<std::string> with_lines(const std::vector<std::string>& words) {
  std::vector<std::string> texts;
  for (const std::string& word : words) {
    if (word != "-") {
      if (std::filesystem::is_regular_file(word)) {
        log_warning(
            concat(word, ": is a file; its name is scored. To score its lines: - < ", word));
      }
      texts.push_back(word);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) {
      if (!line.empty()) texts.push_back(line);
    }
  }
  if (texts.empty()) fail(ExitCode::kUsage, "score: the standard input holds no text");
  return texts;
}

}  // namespace

ExitCode run_score(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Says how likely texts are. Decoders and encoder-decoders: log-likelihood after\n"
      "the context, and bits per byte. Encoders: pseudo-log-likelihood, each token\n"
      "masked in turn. ELECTRA: how likely each token was replaced.",
      "pretrain score");
  std::string checkpoint, context;
  std::vector<std::string> texts;
  app.add_option("CKPT", checkpoint, "run, RUN:best, RUN:STEP, checkpoint, or Hugging Face folder")
      ->required();
  app.add_option("TEXT", texts, "texts to score; -: the lines of the standard input")->required();
  app.add_option("--context", context, "text before each of them, not scored");
  app.footer("Example: pretrain score runs/quickstart \"In the beginning\" \"In the begining\"");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  texts = with_lines(texts);
  at::set_num_threads(process.threads_per_rank());
  const LoadedModel loaded = load_model(checkpoint);
  const PromptText prompt(loaded);
  Model& model = *loaded.model;
  const bool encodes =
      model.kind() == ModelKind::kEncoder || model.kind() == ModelKind::kReplacedTokens;
  if (encodes && !context.empty()) {
    fail(ExitCode::kUsage,
         "score: --context: an encoder sees a text from both sides at once. Give "
         "the whole text without it");
  }
  for (const std::string& text : texts) {
    std::vector<std::int64_t> ids = prompt.encode(text);
    if (ids.empty()) fail(ExitCode::kUsage, "score: a text is empty. Give some text");
    // Of a text that the tokens change or leave a part out of there are no bits per byte.
    const std::size_t own = prompt.is_plain(text, ids) ? ids.size() : 0;
    switch (model.kind()) {
      case ModelKind::kReplacedTokens:
        print_replaced(prompt, model, text);
        break;
      case ModelKind::kEncoder: {
        const std::vector<std::int64_t> row = prompt.encoder_row(text);
        const std::int64_t first = prompt.cls() >= 0 ? 1 : 0;
        const auto last = first + static_cast<std::int64_t>(ids.size());
        print_sum("pseudo-log-likelihood",
                  pseudo_log_likelihoods(model, row, first, last, prompt.mask()), text, 0);
        break;
      }
      case ModelKind::kEncoderDecoder: {
        std::vector<std::int64_t> source = prompt.encode(context);
        if (prompt.end() >= 0) {
          source.push_back(prompt.end());
          ids.push_back(prompt.end());
        }
        print_sum("log-likelihood", log_likelihoods(model, source, ids, prompt.start()), text, own);
        break;
      }
      case ModelKind::kDecoder: {
        // Documents begin with the opening token or after the end of another, so a text without
        // context is scored whole.
        std::vector<std::int64_t> before = prompt.decoder_row(context);
        if (before.empty() && prompt.end() >= 0) before = {prompt.end()};
        const std::vector<double> logs = log_likelihoods(model, before, ids);
        print_sum("log-likelihood", logs, text, logs.size() == ids.size() ? own : 0);
        break;
      }
    }
  }
  return ExitCode::kOk;
}

}  // namespace pretrain
