#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/checkpoint/checkpoint_reader.h"
#include "core/config/config_loader.h"
#include "core/metrics/number_format.h"
#include "launch/checkpoint_path.h"
#include "launch/commands/data/audit.h"
#include "launch/commands/data/subcommand.h"

namespace pretrain {
namespace {

// Every document of the source's split, or one of them: whole passes, and the part of this epoch.
void print_documents(const DataAudit& audit, std::size_t source, std::uint64_t samples,
                     const std::optional<std::uint64_t>& only) {
  const auto drawn = audit.drawn_in_epoch(source, samples);
  const std::uint64_t passes = samples / audit.plan->order(source).rows();
  for (const CorpusSplit& shard : audit.inputs.sources[source].shards) {
    for (const DocumentRange& range : shard.corpus->split(shard.split)) {
      for (std::uint64_t d = range.begin; d < range.end; ++d) {
        if (only && d != *only) continue;
        const auto found = drawn.find({shard.corpus.get(), d});
        const std::uint64_t tokens =
            shard.corpus->document_begin(d + 1) - shard.corpus->document_begin(d);
        std::cout << "  " << shard.corpus->path() << " document " << d << ": " << passes
                  << " times, then " << (found == drawn.end() ? 0 : found->second) << " of "
                  << tokens << " tokens\n";
      }
    }
  }
}

void print_source(const DataAudit& audit, std::size_t source, std::uint64_t samples) {
  const std::uint64_t rows = audit.plan->order(source).rows();
  std::cout << audit.inputs.sources[source].name << ": " << samples << " samples of " << rows
            << " rows = " << fixed(static_cast<double>(samples) / static_cast<double>(rows), 4)
            << " epochs: every document " << samples / rows << " times";
  if (samples % rows > 0) std::cout << ", then " << samples % rows << " rows of the next epoch";
  std::cout << "\n";
}

}  // namespace

RunDataSubcommand declare_seen(CLI::App& app) {
  struct Options {
    std::string checkpoint, source;
    bool documents = false;
    std::optional<std::uint64_t> document;
  };
  const auto options = std::make_shared<Options>();
  app.add_option("--checkpoint", options->checkpoint, "run, RUN:best, RUN:STEP, or a checkpoint")
      ->required();
  app.add_flag("--documents", options->documents, "a line for each document");
  app.add_option("--document", options->document, "a line for the documents of this number");
  app.add_option("--source", options->source, "this source only");
  app.footer("Example: pretrain data seen --checkpoint runs/quickstart --document 17");
  return [options](const std::vector<std::string>& overrides) {
    if (!overrides.empty()) {
      fail(ExitCode::kUsage, overrides.front(), ": a checkpoint's config stands as it is");
    }
    const CheckpointReader checkpoint(checkpoint_path(options->checkpoint));
    const std::string place = checkpoint.path() + "/config.resolved.yaml";
    const DataAudit audit =
        open_audit(read_config(parse_config_text(checkpoint.config_yaml(), place), ""));
    const std::uint64_t samples = checkpoint.state().data.samples;
    const std::vector<std::uint64_t> consumed = audit.plan->consumed(samples);
    std::cout << checkpoint.path() << ": step " << checkpoint.state().step << ", " << samples
              << " samples\n";
    bool known = options->source.empty();
    for (std::size_t i = 0; i < consumed.size(); ++i) {
      const std::string& name = audit.inputs.sources[i].name;
      if (!options->source.empty() && name != options->source) continue;
      known = true;
      print_source(audit, i, consumed[i]);
      if (options->documents || options->document) {
        print_documents(audit, i, consumed[i], options->document);
      }
    }
    if (!known)
      fail(ExitCode::kUsage, "--source ", options->source, ": the run has no such source");
    return ExitCode::kOk;
  };
}

}  // namespace pretrain
