#include "launch/inputs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/data/corpus/corpus_builder.h"

namespace pretrain {
namespace {

// What `auto` means is decided for all files of the run together: the limit is one for the host.
CorpusVerification verification(const RunConfig& config) {
  const std::string& name = config.data.verify;
  if (name == "full") return CorpusVerification::kFull;
  if (name == "sizes") return CorpusVerification::kSizes;
  std::set<std::string> paths;
  for (const DataSource& source : config.data.sources) paths.insert(source.path);
  for (const EvaluationSource& source : config.eval.sets) paths.insert(source.path);
  std::uint64_t bytes = 0;
  for (const std::string& path : paths) {
    std::error_code missing;  // opening the file says so
    const auto size = std::filesystem::file_size(path, missing);
    if (!missing) bytes += size;
  }
  return bytes <= kFullVerifyBytes ? CorpusVerification::kFull : CorpusVerification::kSampled;
}

const char* verified_text(CorpusVerification mode) {
  if (mode == CorpusVerification::kFull) return "every byte verified";
  if (mode == CorpusVerification::kSampled) return "tables and 1 % of the blocks verified";
  return "sizes verified, digests not";
}

bool has_split(const Corpus& corpus, const std::string& split) {
  const std::vector<std::string> names = corpus.splits();
  return std::find(names.begin(), names.end(), split) != names.end();
}

// The sets the config lists; if it lists none, the split `valid` of each source that has one.
std::vector<EvaluationSource> evaluation_sources(const RunConfig& config, const RunInputs& inputs) {
  if (!config.eval.sets.empty()) return config.eval.sets;
  std::vector<EvaluationSource> sources;
  for (std::size_t i = 0; i < inputs.corpora.size(); ++i) {
    EvaluationSource source;
    if (!has_split(*inputs.corpora[i], source.split)) continue;
    source.path = config.data.sources[i].path;
    source.name = config.data.sources[i].name;
    sources.push_back(source);
  }
  return sources;
}

void check_tokenizer(const RunConfig& config, const RunInputs& inputs) {
  const std::string digest = inputs.tokenizer->sha256();
  for (const auto& corpus : inputs.corpora) {
    if (corpus->tokenizer_sha256() == digest) continue;
    fail(ExitCode::kBadData, corpus->path(), ": built with tokenizer sha256 ",
         corpus->tokenizer_sha256(), ", but ",
         config.tokenizer.path ? "tokenizer.path " + *config.tokenizer.path : "the tokenizer",
         " has ", digest, ". Build the corpus again with it or correct tokenizer.path");
  }
}

// Metrics, the best checkpoint and TensorBoard tags go by name.
template <class Sources>
void check_names(const Sources& sources, const std::string& key) {
  std::map<std::string, std::string> paths;
  for (const auto& source : sources) {
    const auto [other, is_new] = paths.try_emplace(source.name, source.path);
    if (is_new) continue;
    fail(ExitCode::kBadConfig, key, ": ", other->second, " and ", source.path,
         " have the same name ", source.name, ". Give each one its own `name:`");
  }
}

void check_prompts(const RunConfig& config, const Tokenizer& tokenizer) {
  if (!config.eval.samples) return;
  const std::vector<std::string>& prompts = config.eval.samples->prompts;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::vector<std::uint32_t> ids;
    std::string fault;
    try {
      tokenizer.encode(prompts[i], ids);
      if (ids.empty()) fault = "is empty";
    } catch (const Error& error) {
      fault = error.what();
    }
    if (fault.empty()) continue;
    fail(ExitCode::kBadConfig, config.place("eval.samples"), "eval.samples.prompts[", i,
         "]: ", fault, ". Give a text that the tokenizer of the corpus knows");
  }
}

}  // namespace

std::vector<EvaluationSet> RunInputs::evaluation_sets() const {
  std::vector<EvaluationSet> sets;
  for (std::size_t i = 0; i < evaluation.size(); ++i) {
    sets.push_back({set_names[i], evaluation[i].get()});
  }
  return sets;
}

std::vector<std::string> RunInputs::fingerprints() const {
  std::vector<std::string> all;
  for (const auto& corpus : corpora) all.push_back(corpus->fingerprint());
  return all;
}

RunInputs open_inputs(const RunConfig& config, VerifyShare share,
                      const ProgressFunction& progress) {
  if (config.data.sources.empty()) {
    fail(ExitCode::kBadConfig, config.place("data.sources"),
         "data.sources: expected at least one corpus, got none. "
         "Make one: pretrain corpus build NAME.h5 --tokenizer byte TEXT");
  }
  check_names(config.data.sources, "data.sources");
  const CorpusVerification mode = verification(config);
  std::map<std::string, std::shared_ptr<const Corpus>> opened;  // a file is verified once
  const auto open = [&](const std::string& path) {
    auto& corpus = opened[path];
    if (!corpus) corpus = Corpus::open(path, mode, progress, share);
    return corpus;
  };
  RunInputs inputs;
  inputs.verified = verified_text(mode);
  for (const DataSource& source : config.data.sources) {
    inputs.corpora.push_back(open(source.path));
  }
  inputs.tokenizer = config.tokenizer.path ? open_tokenizer(*config.tokenizer.path)
                                           : inputs.corpora.front()->load_tokenizer();
  check_tokenizer(config, inputs);
  check_prompts(config, *inputs.tokenizer);
  if (config.data.document_mask && inputs.tokenizer->eos_id() < 0) {
    fail(ExitCode::kBadConfig, config.place("data.document_mask"),
         "data.document_mask: the tokenizer has no token that closes a document. Build the corpus "
         "with --eos");
  }
  const auto evaluation = evaluation_sources(config, inputs);
  check_names(evaluation, "eval.sets");
  for (const EvaluationSource& source : evaluation) {
    inputs.evaluation_corpora.push_back(open(source.path));
    check_same_tokenizer({inputs.corpora.front(), inputs.evaluation_corpora.back()});
    inputs.set_names.push_back(source.name);
  }
  return inputs;
}

void cut_rows(RunInputs& inputs, const RunConfig& config, const RowShape& row) {
  const auto overlap = static_cast<std::uint64_t>(row.overlap);
  const auto stride = static_cast<std::uint64_t>(row.tokens - row.overlap);
  std::vector<CorpusSplit> splits;
  for (std::size_t i = 0; i < inputs.corpora.size(); ++i) {
    splits.push_back({inputs.corpora[i], config.data.sources[i].split});
  }
  inputs.train = std::make_unique<TokenDataset>(splits, stride, overlap);
  const auto sources = evaluation_sources(config, inputs);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const CorpusSplit split{inputs.evaluation_corpora[i], sources[i].split};
    std::optional<std::uint64_t> limit;
    if (sources[i].max_tokens) limit = static_cast<std::uint64_t>(*sources[i].max_tokens);
    inputs.evaluation.push_back(std::make_unique<EvaluationDataset>(split, stride, limit, overlap));
  }
}

}  // namespace pretrain
