#include "launch/hugging_face/exported_model.h"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/random.h"
#include "core/checkpoint/safetensors.h"
#include "core/text/token_roles.h"
#include "launch/hugging_face/imported_model.h"
#include "launch/network.h"
#include "launch/process/versions.h"
#include "models/electra.h"
#include "objectives/corruption/rows.h"
#include "objectives/losses/linear_cross_entropy.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kProbes = 100;
constexpr std::int64_t kProbeLength = 16;
constexpr std::int64_t kLongProbe = 1024;  // at most, of the first row
constexpr double kParity = 1e-5;

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

TensorView view_of(const std::string& name, const at::Tensor& tensor) {
  const bool is_float = tensor.scalar_type() == at::kFloat;
  return {name, is_float ? "F32" : "I64", tensor.sizes().vec(), bytes_of(tensor)};
}

std::string card(const LoadedModel& loaded, const HfPlan& plan) {
  return concat("---\nlibrary_name: transformers\n---\n# ", plan.architecture, " by pretrain ",
                program_version(), "\n\nTrained with objective `", loaded.config.objective.name,
                "` on model `", loaded.config.model.name, "`. ",
                loaded.model->prompt_pattern == Pattern::kPrefix
                    ? "It was trained to see its prompt both ways, which this class does not: to "
                      "get its numbers, mask attention accordingly. "
                    : "",
                "`parity.json` says how closely the files "
                "reproduce the model they were written from.\n\n## Configuration\n\n```yaml\n",
                loaded.config.text(), "```\n");
}

// The special tokens by their roles, as transformers names them. `eos` is the model's: T5's texts
// end with another token than the documents of a corpus may.
Json special_tokens(const Tokenizer& tokenizer, std::int64_t eos) {
  std::map<std::int64_t, std::string> texts;
  const Json root = Json::parse(tokenizer.to_json());
  for (const Json& added : root["added_tokens"]) {
    texts.emplace(added["id"].get<std::int64_t>(), added["content"].get<std::string>());
  }
  const TokenRoles roles = token_roles(tokenizer);
  const bool encoder = roles.mask >= 0;
  // `[SEP]` ends documents of encoders that have no end token of their own.
  const bool own_eos = !encoder || roles.eos != roles.sep || roles.bos >= 0;
  const std::pair<const char*, std::int64_t> named[] = {
      {"bos_token", roles.bos},  {"eos_token", own_eos ? eos : -1},
      {"unk_token", roles.unk},  {"sep_token", encoder ? roles.sep : -1},
      {"pad_token", roles.pad},  {"cls_token", encoder ? roles.cls : -1},
      {"mask_token", roles.mask}};
  Json special = Json::object();
  for (const auto& [role, id] : named) {
    if (id < 0) continue;
    const auto found = texts.find(id);
    const bool added = found != texts.end();
    special[role] = added ? found->second : tokenizer.decode({static_cast<std::uint32_t>(id)});
  }
  return special;
}

void write_texts(const Directory& directory, const LoadedModel& loaded, const HfPlan& plan) {
  directory.write_text("config.json", plan.config);
  directory.write_text("README.md", card(loaded, plan));
  const bool generates = plan.architecture.find("LM") != std::string::npos ||
                         plan.architecture.ends_with("Generation");
  const bool masked = plan.architecture.find("Masked") != std::string::npos;
  if (generates && !masked) {
    Json generation = {{"transformers_version", "4.0.0"}};
    if (loaded.tokens.eos >= 0) generation["eos_token_id"] = loaded.tokens.eos;
    if (loaded.tokens.pad >= 0) generation["pad_token_id"] = loaded.tokens.pad;
    if (plan.architecture.starts_with("T5")) {
      generation["decoder_start_token_id"] = std::max<std::int64_t>(0, loaded.tokens.pad);
    }
    directory.write_text("generation_config.json", generation.dump(2) + "\n");
  }
  if (loaded.tokenizer_json.empty()) return;
  directory.write_text("tokenizer.json", loaded.tokenizer_json);
  const Json special =
      loaded.tokenizer ? special_tokens(*loaded.tokenizer, loaded.tokens.eos) : Json::object();
  Json settings = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                   {"model_max_length", loaded.model->max_positions()},
                   {"clean_up_tokenization_spaces", false}};
  settings.update(special);
  directory.write_text("tokenizer_config.json", settings.dump(2) + "\n");
  directory.write_text("special_tokens_map.json", special.dump(2) + "\n");
}

// The same weights behind products of another type.
std::shared_ptr<Model> in_type(const LoadedModel& loaded, at::ScalarType type) {
  if (type == at::kFloat) return loaded.model;
  const auto model = build_model(loaded.config, loaded.tokens.vocab_size, loaded.tokens.pad, type,
                                 c10::Device(c10::kCPU));
  const c10::AutoGradMode no_grad(false);
  const auto weights = loaded.model->named_parameters();
  for (auto& parameter : model->named_parameters()) {
    parameter.value().copy_(weights[parameter.key()]);
  }
  model->eval();
  return model;
}

// What stood at `out` goes when the new one is in its place.
void replace(const std::string& made, const std::string& out) {
  namespace fs = std::filesystem;
  const bool exists = fs::exists(out);
  const std::string old = unique_name(out + ".old");
  if (exists) fs::rename(out, old);
  fs::rename(made, out);
  if (exists) fs::remove_all(old);
}

}  // namespace

ProbeRows random_rows(std::int64_t vocab_size, std::int64_t max_positions) {
  RandomStream random(1, RandomPurpose::kTest, 0);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  ProbeRows rows(kProbes);
  for (auto& row : rows) {
    const std::int64_t length = &row == &rows.front()
                                    ? std::min(kLongProbe, max_positions)
                                    : 1 + below(std::min(kProbeLength, max_positions));
    row.resize(static_cast<std::size_t>(length));
    for (std::int64_t& id : row) id = below(vocab_size);
  }
  return rows;
}

ParityProbe probe_model(Model& model, const ProbeRows& rows, bool generator) {
  const c10::AutoGradMode no_grad(false);
  SequenceBuilder tokens;
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.size());
  ParityProbe probe;
  probe.inputs =
      at::zeros({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)},
                at::TensorOptions(at::kLong));
  std::int64_t* out = probe.inputs.mutable_data_ptr<std::int64_t>();
  for (const auto& row : rows) {
    tokens.begin(0);
    tokens.add(row);
    std::copy(row.begin(), row.end(), out);
    out += width;
  }
  Sequences inputs = tokens.take();
  inputs.keys.clear();
  probe.lengths = as_tensor(inputs.lengths);
  auto* electra = dynamic_cast<Electra*>(&model);
  if (generator) {
    probe.features = electra->generate(inputs);
    probe.logits =
        logits_of(electra->generator_head_features(probe.features), electra->generator_head());
    return probe;
  }
  const bool decodes = model.kind() == ModelKind::kEncoderDecoder;
  const Pattern pattern =
      model.kind() == ModelKind::kDecoder ? Pattern::kCausal : Pattern::kBidirectional;
  probe.features = model.forward({inputs, pattern, decodes ? &inputs : nullptr});
  if (model.kind() == ModelKind::kReplacedTokens) {
    probe.logits = electra->replaced_logits(probe.features);
  } else {
    probe.logits = logits_of(model.head_features(probe.features), model.head());
  }
  return probe;
}

double write_hugging_face(const LoadedModel& loaded, const std::vector<HfPlan>& plans,
                          const std::string& out, const ProbeRows& rows, const HfWriting& writing) {
  namespace fs = std::filesystem;
  if (fs::exists(out) && !writing.force) {
    fail(ExitCode::kCannotCreate, out, ": exists. Choose another directory or give --force");
  }
  if (fs::exists(out) && !is_hugging_face(out)) {
    fail(ExitCode::kCannotCreate, out,
         ": exists and is no Hugging Face directory, so it is not replaced. Choose another one");
  }
  const std::string temporary = unique_name(out + ".tmp");
  double largest = 0;
  try {
    for (const HfPlan& plan : plans) {
      const Directory directory =
          Directory::create(plan.folder.empty() ? temporary : temporary + "/" + plan.folder);
      write_texts(directory, loaded, plan);
      write_weights(directory, exported_tensors(*loaded.model, plan), writing.shard_bytes);
    }
    const ImportedModel back = import_model(temporary);
    back.model->eval();
    for (const HfPlan& plan : plans) {
      const bool generator = plan.folder == "generator";
      const ParityProbe ours = probe_model(*loaded.model, rows, generator);
      const ParityProbe theirs = probe_model(*back.model, rows, generator);
      const at::Tensor difference =
          plan.headless ? ours.features - theirs.features : ours.logits - theirs.logits;
      const double most = difference.abs().max().item<double>();
      if (!(most <= kParity)) {
        fail(ExitCode::kInternal, "export: what was written differs from the model by ", most,
             " in a ", plan.headless ? "feature" : "logit", ", more than ", kParity,
             ". Nothing was published");
      }
      largest = std::max(largest, most);
      const Directory directory =
          Directory::open(plan.folder.empty() ? temporary : temporary + "/" + plan.folder);
      const Json certificate = {
          {"inputs", rows.size()},      {"compared", plan.headless ? "features" : "logits"},
          {"max_abs_difference", most}, {"bound", kParity},
          {"dtype", "float32"},         {"program", "pretrain " + program_version()}};
      directory.write_text("parity.json", certificate.dump(2) + "\n");
      if (writing.probes.empty()) continue;
      const ParityProbe probe = probe_model(*in_type(loaded, writing.probe_type), rows, generator);
      const at::Tensor features = probe.features.to(at::kFloat),
                       logits = probe.logits.to(at::kFloat);
      const std::vector<TensorView> views{view_of("inputs", probe.inputs),
                                          view_of("lengths", probe.lengths),
                                          view_of("features", features), view_of("logits", logits)};
      const std::string name = (plan.folder.empty() ? "" : plan.folder + "-") + writing.probes;
      write_safetensors(Directory::open_parent(out), name, views);
    }
    replace(temporary, out);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
  return largest;
}

}  // namespace pretrain
