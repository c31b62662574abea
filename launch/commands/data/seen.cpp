#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "core/base/json/json_writer.h"
#include "core/checkpoint/checkpoint_reader.h"
#include "core/config/config_loader.h"
#include "core/metrics/number_format.h"
#include "launch/checkpoint_path.h"
#include "launch/commands/data/audit.h"
#include "launch/commands/data/subcommand.h"

namespace pretrain {
namespace {

struct SeenOptions {
  std::string checkpoint, source;
  bool documents = false;
  std::optional<std::uint64_t> document;
  bool json = false;

  bool lists_documents() const { return documents || document; }
};

struct SeenDocument {
  const Corpus* corpus;
  std::uint64_t number;
  std::uint64_t passes;  // over all of it
  std::uint64_t drawn;   // tokens since the last pass
  std::uint64_t tokens;
};

JsonScalar number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// Calls `use` with every document of the source's split, or with those of the number asked for.
template <class Use>
void for_documents(const DataAudit& audit, std::size_t source, std::uint64_t samples,
                   const SeenOptions& options, Use&& use) {
  const auto drawn = audit.drawn_in_epoch(source, samples);
  const std::uint64_t passes = samples / audit.plan->order(source).rows();
  for (const CorpusSplit& shard : audit.inputs.sources[source].shards) {
    for (const DocumentRange& range : shard.corpus->split(shard.split)) {
      for (std::uint64_t d = range.begin; d < range.end; ++d) {
        if (options.document && d != *options.document) continue;
        const auto found = drawn.find({shard.corpus.get(), d});
        use(SeenDocument{shard.corpus.get(), d, passes, found == drawn.end() ? 0 : found->second,
                         shard.corpus->document_begin(d + 1) - shard.corpus->document_begin(d)});
      }
    }
  }
}

void print_source(const DataAudit& audit, std::size_t source, std::uint64_t samples,
                  const SeenOptions& options) {
  const std::uint64_t rows = audit.plan->order(source).rows();
  std::cout << audit.inputs.sources[source].name << ": " << samples << " samples of " << rows
            << " rows = " << fixed(static_cast<double>(samples) / static_cast<double>(rows), 4)
            << " epochs: every document " << samples / rows << " times";
  if (samples % rows > 0) std::cout << ", then " << samples % rows << " rows of the next epoch";
  std::cout << "\n";
  if (!options.lists_documents()) return;
  for_documents(audit, source, samples, options, [](const SeenDocument& document) {
    std::cout << "  " << document.corpus->path() << " document " << document.number << ": "
              << document.passes << " times, then " << document.drawn << " of " << document.tokens
              << " tokens\n";
  });
}

// The same as an object, of which `documents` is written piece by piece.
void print_source_json(const DataAudit& audit, std::size_t source, std::uint64_t samples,
                       const SeenOptions& options) {
  const std::uint64_t rows = audit.plan->order(source).rows();
  JsonObject object;
  object.add("source", audit.inputs.sources[source].name)
      .add("samples", number(samples))
      .add("rows", number(rows))
      .add("epochs", static_cast<double>(samples) / static_cast<double>(rows))
      .add("passes", number(samples / rows))
      .add("rows_of_next_epoch", number(samples % rows));
  std::string head = object.text();
  if (!options.lists_documents()) {
    std::cout << head;
    return;
  }
  head.pop_back();
  std::cout << head << ", \"documents\": [";
  const char* separator = "\n";
  for_documents(audit, source, samples, options, [&](const SeenDocument& document) {
    JsonObject line;
    line.add("path", document.corpus->path())
        .add("document", number(document.number))
        .add("passes", number(document.passes))
        .add("tokens_of_next_epoch", number(document.drawn))
        .add("tokens", number(document.tokens));
    std::cout << separator << line.text();
    separator = ",\n";
  });
  std::cout << "]}";
}

ExitCode run(const SeenOptions& options, const std::vector<std::string>& overrides) {
  if (!overrides.empty()) {
    fail(ExitCode::kUsage, overrides.front(), ": a checkpoint's config stands as it is");
  }
  const CheckpointReader checkpoint(checkpoint_path(options.checkpoint));
  const std::string place = checkpoint.path() + "/config.resolved.yaml";
  const DataAudit audit =
      open_audit(read_config(parse_config_text(checkpoint.config_yaml(), place), ""));
  const auto& sources = audit.inputs.sources;
  const auto is_asked = [&](const InputSource& source) {
    return options.source.empty() || source.name == options.source;
  };
  if (std::none_of(sources.begin(), sources.end(), is_asked)) {
    fail(ExitCode::kUsage, "--source ", options.source, ": the run has no such source");
  }
  const std::uint64_t samples = checkpoint.state().data.samples;
  const std::uint64_t step = checkpoint.state().step;
  if (options.json) {
    std::cout << "{\"checkpoint\": " << json_string(checkpoint.path()) << ", \"step\": " << step
              << ", \"samples\": " << samples << ", \"sources\": [";
  } else {
    std::cout << checkpoint.path() << ": step " << step << ", " << samples << " samples\n";
  }
  const std::vector<std::uint64_t> consumed = audit.plan->consumed(samples);
  const char* separator = "\n";
  for (std::size_t i = 0; i < consumed.size(); ++i) {
    if (!is_asked(sources[i])) continue;
    if (options.json) {
      std::cout << std::exchange(separator, ",\n");
      print_source_json(audit, i, consumed[i], options);
    } else {
      print_source(audit, i, consumed[i], options);
    }
  }
  if (options.json) std::cout << "\n]}\n";
  return ExitCode::kOk;
}

}  // namespace

RunDataSubcommand declare_seen(CLI::App& app) {
  const auto options = std::make_shared<SeenOptions>();
  app.add_option("--checkpoint", options->checkpoint, "run, RUN:best, RUN:STEP, or a checkpoint")
      ->required();
  app.add_flag("--documents", options->documents, "a line for each document");
  app.add_option("--document", options->document, "a line for the documents of this number");
  app.add_option("--source", options->source, "this source only");
  app.add_flag("--json", options->json, "one JSON object instead of text, see below");
  app.footer(
      "--json: {checkpoint, step, samples, sources: [{source, samples, rows, epochs,\n"
      "passes, rows_of_next_epoch, documents: [{path, document, passes,\n"
      "tokens_of_next_epoch, tokens}]}]}; documents only if they are asked for.\n\n"
      "Example: pretrain data seen --checkpoint runs/quickstart --document 17");
  return [options](const std::vector<std::string>& overrides) { return run(*options, overrides); };
}

}  // namespace pretrain
