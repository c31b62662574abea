#include <map>

#include "models/hugging_face/families.h"

namespace pretrain {
namespace {

// Ours, theirs. The first line of two with the same value is the one that is written.
const std::vector<std::pair<std::string, std::string>> kActivations{
    {"gelu", "gelu"},  {"gelu_tanh", "gelu_new"}, {"gelu_tanh", "gelu_pytorch_tanh"},
    {"relu", "relu"},  {"relu2", "relu2"},        {"silu", "silu"},
    {"silu", "swish"}, {"gelu_tanh", "gelu_fast"}};

}  // namespace

bool HfConfig::has(const char* key) const { return reader_.has(key) && !reader_.at(key).is_null(); }

std::int64_t HfConfig::whole(const char* key) const { return reader_.at(key).integer(); }

std::int64_t HfConfig::whole(const char* key, std::int64_t otherwise) const {
  return has(key) ? whole(key) : otherwise;
}

double HfConfig::number(const char* key, double otherwise) const {
  return has(key) ? reader_.at(key).number() : otherwise;
}

std::string HfConfig::text(const char* key, const std::string& otherwise) const {
  return has(key) ? reader_.at(key).text() : otherwise;
}

bool HfConfig::flag(const char* key, bool otherwise) const {
  return has(key) ? reader_.at(key).boolean() : otherwise;
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
