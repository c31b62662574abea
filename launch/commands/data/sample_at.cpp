#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/json/json_writer.h"
#include "launch/commands/command_words.h"
#include "launch/commands/data/audit.h"
#include "launch/commands/data/subcommand.h"
#include "launch/config/open_config.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const RunInputs& inputs, const DataAudit::Extract& extract, std::uint64_t begin,
                    std::uint64_t end) {
  std::vector<std::int64_t> ids(end - begin);
  extract.corpus->read_tokens(extract.corpus->document_begin(extract.document) + begin, ids);
  return inputs.tokenizer->decode({ids.begin(), ids.end()});
}

Json describe(const RunInputs& inputs, const DataAudit::Extract& extract, bool with_text) {
  const Corpus& corpus = *extract.corpus;
  const std::string text = text_of(inputs, extract, extract.begin, extract.end);
  const std::size_t before = text_of(inputs, extract, 0, extract.begin).size();
  Json json = {{"path", corpus.path()},
               {"document", extract.document},
               {"first_token", extract.begin},
               {"end_token", extract.end},
               {"tokens", corpus.document_begin(extract.document + 1) -
                              corpus.document_begin(extract.document)},
               {"first_byte", before},
               {"end_byte", before + text.size()},
               {"bytes", Json()}};
  if (corpus.has_document_bytes()) json["bytes"] = corpus.document_bytes(extract.document);
  if (with_text) json["text"] = text;
  return json;
}

Json describe_sample(const DataAudit& audit, std::uint64_t id, bool with_text) {
  const SamplePlan::Sample sample = audit.plan->sample(id);
  const InputSource& source = audit.inputs.sources[sample.source];
  Json json = {{"sample", id},
               {"source", source.name},
               {"row", sample.row},
               {"rows", source.rows->size()},
               {"epoch", sample.epoch},
               {"phase", sample.phase},
               {"sequences", sample.parts},
               {"documents", Json::array()}};
  for (const TokenPlace& place : source.rows->places(sample.row)) {
    for (const DataAudit::Extract& extract : DataAudit::extracts(place)) {
      json["documents"].push_back(describe(audit.inputs, extract, with_text));
    }
  }
  return json;
}

std::string in_words(const Json& sample) {
  const auto number = [](const Json& value) { return value.get<std::uint64_t>(); };
  std::string text =
      concat("  sample ", number(sample["sample"]), ": ", sample["source"].get<std::string>(),
             " row ", number(sample["row"]), " of ", number(sample["rows"]), ", epoch ",
             number(sample["epoch"]), ", phase ", number(sample["phase"]));
  if (sample["sequences"] > 1) text += concat(", in ", number(sample["sequences"]), " sequences");
  text += "\n";
  for (const Json& document : sample["documents"]) {
    text +=
        concat("    ", document["path"].get<std::string>(), " document ",
               number(document["document"]), ", tokens ", number(document["first_token"]), " to ",
               number(document["end_token"]), " of ", number(document["tokens"]), ", bytes ",
               number(document["first_byte"]), " to ", number(document["end_byte"]));
    if (!document["bytes"].is_null()) text += concat(" of ", number(document["bytes"]));
    text += "\n";
    if (document.contains("text")) {
      text += "      " + json_string(document["text"].get<std::string>()) + "\n";
    }
  }
  return text;
}

void print_step(const DataAudit& audit, std::uint64_t step, bool with_text, bool as_json) {
  const std::uint64_t first = audit.batches.first_sample(step - 1);
  const std::uint64_t end = audit.batches.first_sample(step);
  if (as_json) {
    std::cout << "{\"step\": " << step << ", \"samples\": [";
  } else {
    std::cout << "step " << step << ": samples " << first << " to " << end - 1 << "\n";
  }
  for (std::uint64_t id = first; id < end; ++id) {
    const Json sample = describe_sample(audit, id, with_text);
    if (as_json) {
      std::cout << (id == first ? "\n" : ",\n")
                << sample.dump(-1, ' ', false, Json::error_handler_t::replace);
    } else {
      std::cout << in_words(sample);
    }
  }
  if (as_json) std::cout << "\n]}\n";
}

}  // namespace

RunDataSubcommand declare_sample_at(CLI::App& app) {
  struct Options {
    std::string path;
    std::uint64_t step = 0;
    bool text = false;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->path, "configuration, or a run directory")->required();
  within(app.add_option("--step", options->step, "step, from 1 as metrics count them"),
         std::int64_t{1}, std::int64_t{1} << 50)
      ->required();
  app.add_flag("--text", options->text, "the text too, as JSON strings");
  app.add_flag("--json", options->json, "one JSON object instead of text, see below");
  app.footer(
      "--json: {step, samples: [{sample, source, row, rows, epoch, phase, sequences,\n"
      "documents: [{path, document, first_token, end_token, tokens, first_byte,\n"
      "end_byte, bytes, text}]}]}; tokens and bytes are those of the whole document;\n"
      "bytes is null where the corpus counts none; text only with --text.\n\n"
      "Example: pretrain data sample-at runs/quickstart --step 120 --text");
  return [options](const std::vector<std::string>& overrides) {
    print_step(open_audit(open_config(options->path, overrides)), options->step, options->text,
               options->json);
    return ExitCode::kOk;
  };
}

}  // namespace pretrain
