#include <functional>
#include <limits>

#include "core/config/scalars.h"
#include "models/hugging_face/families.h"

namespace pretrain {
namespace {

// Ours, theirs. The first line of two with the same value is the one that is written.
const std::vector<std::pair<std::string, std::string>> kActivations{
    {"gelu", "gelu"},  {"gelu_tanh", "gelu_new"}, {"gelu_tanh", "gelu_pytorch_tanh"},
    {"relu", "relu"},  {"relu2", "relu2"},        {"silu", "silu"},
    {"silu", "swish"}, {"gelu_tanh", "gelu_fast"}};

// Keys of any class that change no logit of a network in evaluation: who wrote the file, what other
// heads there could be, how text is generated.
const std::set<std::string, std::less<>> kHarmless{
    "_attn_implementation",
    "_commit_hash",
    "_name_or_path",
    "add_cross_attention",
    "architectures",
    "bos_token_id",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "cls_token_id",
    "decoder_start_token_id",
    "directionality",
    "do_sample",
    "dtype",
    "early_stopping",
    "embd_pdrop",
    "eos_token_id",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "initializer_factor",
    "is_decoder",
    "is_encoder_decoder",
    "label2id",
    "length_penalty",
    "mask_token_id",
    "max_length",
    "min_length",
    "model_type",
    "n_ctx",
    "n_special",
    "no_repeat_ngram_size",
    "num_beams",
    "num_labels",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "pad_token_id",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
    "predict_special_tokens",
    "prefix",
    "pretraining_tp",
    "problem_type",
    "pruned_heads",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "summary_activation",
    "summary_first_dropout",
    "summary_last_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "task_specific_params",
    "temperature",
    "tie_encoder_decoder",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "use_bfloat16",
    "use_cache",
};

}  // namespace

JsonReader HfConfig::member(const char* key) const {
  read_->insert(key);
  return reader_.at(key);
}

bool HfConfig::has(const char* key) const {
  read_->insert(key);
  return reader_.has(key) && !reader_.at(key).is_null();
}

std::int64_t HfConfig::whole(const char* key) const {
  const std::int64_t value = member(key).integer();
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (value > kMost) refuse(key, concat("expected at most ", kMost, ", got ", value));
  return value;
}

std::int64_t HfConfig::whole(const char* key, std::int64_t otherwise) const {
  return has(key) ? whole(key) : otherwise;
}

double HfConfig::number(const char* key, double otherwise) const {
  return has(key) ? member(key).number() : otherwise;
}

std::string HfConfig::real(const char* key, double otherwise) const {
  return format_float(number(key, otherwise));
}

std::string HfConfig::text(const char* key, const std::string& otherwise) const {
  return has(key) ? member(key).text() : otherwise;
}

bool HfConfig::flag(const char* key, bool otherwise) const {
  return has(key) ? member(key).boolean() : otherwise;
}

std::string HfConfig::architecture() const {
  if (!has("architectures")) return "";
  const auto items = reader_.at("architectures").items();
  return items.empty() ? "" : items.front().text();
}

void HfConfig::require(const char* key, const std::string& value) const {
  if (has(key) && text(key, value) != value)
    refuse(key, "expected " + value + ", got " + text(key, ""));
}

void HfConfig::refuse(const char* key, const std::string& why) const {
  fail(ExitCode::kBadData, reader_.place(), ": ", key, ": ", why,
       ". This class is supported without it");
}

void HfConfig::refuse_unread() const {
  for (const auto& [key, value] : reader_.members()) {
    if (value.is_null() || read_->contains(key) || kHarmless.contains(key)) continue;
    fail(ExitCode::kBadData, reader_.place(), ": ", key,
         ": what it does is not known here, so the model's numbers may not be reproduced. Take it "
         "out of a copy of the file if it changes none");
  }
}

std::string their_activation(const std::string& ours) {
  for (const auto& [own, theirs] : kActivations) {
    if (own == ours) return theirs;
  }
  fail(ExitCode::kBadConfig, "model.activation ", ours,
       ": the Hugging Face class has no such activation");
}

std::string our_activation(const HfConfig& config, const char* key, const std::string& theirs) {
  for (const auto& [ours, name] : kActivations) {
    if (name == theirs) return ours;
  }
  config.refuse(key, "activation " + theirs + " is not supported");
}

void require_option(bool holds, const std::string& option, const std::string& architecture) {
  if (holds) return;
  fail(ExitCode::kBadConfig, "model.", option, ": ", architecture,
       " has no such feature, so the model cannot be exported as one");
}

}  // namespace pretrain
