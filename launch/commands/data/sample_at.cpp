#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "core/base/files/file.h"
#include "core/base/json/json_writer.h"
#include "core/config/config_loader.h"
#include "launch/commands/data/audit.h"
#include "launch/commands/data/subcommand.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1} << 20;

// A run is read as it was resolved, a file as it stands.
RunConfig config_of(const std::string& path, const std::vector<std::string>& overrides) {
  const std::filesystem::path place(path);
  if (!std::filesystem::is_directory(place)) {
    return read_config(load_config(path, overrides).root, place.stem().string());
  }
  if (!overrides.empty()) {
    fail(ExitCode::kUsage, overrides.front(), ": the config of a run stands as it is");
  }
  const std::string resolved = (place / "config.resolved.yaml").string();
  const std::string text = InputFile::open(resolved).text(kMaxConfigBytes);
  return read_config(parse_config_text(text, resolved), "");
}

std::string text_of(const RunInputs& inputs, const DataAudit::Extract& extract, std::uint64_t begin,
                    std::uint64_t end) {
  std::vector<std::int64_t> ids(end - begin);
  extract.corpus->read_tokens(extract.corpus->document_begin(extract.document) + begin, ids);
  return inputs.tokenizer->decode({ids.begin(), ids.end()});
}

void print_extract(const RunInputs& inputs, const DataAudit::Extract& extract, bool with_text) {
  const Corpus& corpus = *extract.corpus;
  const std::uint64_t tokens =
      corpus.document_begin(extract.document + 1) - corpus.document_begin(extract.document);
  const std::string text = text_of(inputs, extract, extract.begin, extract.end);
  const std::size_t before = text_of(inputs, extract, 0, extract.begin).size();
  std::cout << "    " << corpus.path() << " document " << extract.document << ", tokens "
            << extract.begin << " to " << extract.end << " of " << tokens << ", bytes " << before
            << " to " << before + text.size();
  if (corpus.has_document_bytes()) std::cout << " of " << corpus.document_bytes(extract.document);
  std::cout << "\n";
  if (with_text) std::cout << "      " << json_string(text) << "\n";
}

void print_step(const DataAudit& audit, std::uint64_t step, bool with_text) {
  const std::uint64_t first = audit.batches.first_sample(step - 1);
  const std::uint64_t end = audit.batches.first_sample(step);
  std::cout << "step " << step << ": samples " << first << " to " << end - 1 << "\n";
  for (std::uint64_t id = first; id < end; ++id) {
    const SamplePlan::Sample sample = audit.plan->sample(id);
    const InputSource& source = audit.inputs.sources[sample.source];
    std::cout << "  sample " << id << ": " << source.name << " row " << sample.row << " of "
              << source.rows->size() << ", epoch " << sample.epoch << ", phase " << sample.phase;
    if (sample.parts > 1) std::cout << ", in " << sample.parts << " sequences";
    std::cout << "\n";
    for (const TokenPlace& place : source.rows->places(sample.row)) {
      for (const DataAudit::Extract& extract : DataAudit::extracts(place)) {
        print_extract(audit.inputs, extract, with_text);
      }
    }
  }
}

}  // namespace

RunDataSubcommand declare_sample_at(CLI::App& app) {
  struct Options {
    std::string path;
    std::uint64_t step = 0;
    bool text = false;
  };
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->path, "configuration, or a run directory")->required();
  app.add_option("--step", options->step, "step, from 1 as metrics count them")
      ->required()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 50));
  app.add_flag("--text", options->text, "the text too, as JSON strings");
  app.footer("Example: pretrain data sample-at runs/quickstart --step 120 --text");
  return [options](const std::vector<std::string>& overrides) {
    print_step(open_audit(config_of(options->path, overrides)), options->step, options->text);
    return ExitCode::kOk;
  };
}

}  // namespace pretrain
