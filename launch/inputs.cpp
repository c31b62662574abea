#include "launch/inputs.h"

#include <algorithm>
#include <map>

#include "core/data/corpus/corpus_builder.h"

namespace pretrain {
namespace {

CorpusVerification verification(const std::string& name) {
  if (name == "full") return CorpusVerification::kFull;
  return name == "sizes" ? CorpusVerification::kSizes : CorpusVerification::kAuto;
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

RunInputs open_inputs(const RunConfig& config) {
  if (config.data.sources.empty()) {
    fail(ExitCode::kBadConfig,
         "data.sources: expected at least one corpus, got none. "
         "Make one: pretrain corpus build NAME.h5 --tokenizer byte TEXT");
  }
  const CorpusVerification mode = verification(config.data.verify);
  std::map<std::string, std::shared_ptr<const Corpus>> opened;  // a file is verified once
  const auto open = [&](const std::string& path) {
    auto& corpus = opened[path];
    if (!corpus) corpus = Corpus::open(path, mode);
    return corpus;
  };
  RunInputs inputs;
  std::vector<CorpusSplit> splits;
  for (const DataSource& source : config.data.sources) {
    inputs.corpora.push_back(open(source.path));
    splits.push_back({inputs.corpora.back(), source.split});
  }
  inputs.tokenizer = config.tokenizer.path ? open_tokenizer(*config.tokenizer.path)
                                           : inputs.corpora.front()->load_tokenizer();
  check_tokenizer(config, inputs);
  const auto length = static_cast<std::uint64_t>(config.data.sequence_length);
  inputs.train = std::make_unique<TokenDataset>(splits, length);
  for (const EvaluationSource& source : evaluation_sources(config, inputs)) {
    const CorpusSplit split{open(source.path), source.split};
    std::optional<std::uint64_t> limit;
    if (source.max_tokens) limit = static_cast<std::uint64_t>(*source.max_tokens);
    check_same_tokenizer({inputs.corpora.front(), split.corpus});
    inputs.evaluation.push_back(std::make_unique<EvaluationDataset>(split, length, limit));
    inputs.set_names.push_back(source.name);
  }
  return inputs;
}

}  // namespace pretrain
