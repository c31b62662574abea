#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/json/json_reader.h"
#include "models/electra.h"
#include "models/encoder.h"
#include "models/hugging_face/classes.h"
#include "models/transformer_options.h"

namespace pretrain {

/// A config.json. Every read of a missing key without default throws kBadData. Remembers which keys
/// were asked for.
class HfConfig {
 public:
  explicit HfConfig(const JsonReader& reader) : reader_(reader) {}
  std::int64_t whole(const char* key) const;
  std::int64_t whole(const char* key, std::int64_t otherwise) const;
  double number(const char* key, double otherwise) const;
  std::string text(const char* key, const std::string& otherwise) const;
  bool flag(const char* key, bool otherwise) const;
  bool has(const char* key) const;
  /// A number as text that reads back to the same one.
  std::string real(const char* key, double otherwise) const;
  HfConfig at(const char* key) const { return HfConfig(member(key)); }
  const std::string& place() const { return reader_.place(); }
  std::string architecture() const;  ///< the first one, or ""
  /// Throws unless the key is missing or has this value.
  void require(const char* key, const std::string& value) const;
  [[noreturn]] void refuse(const char* key, const std::string& why) const;
  /// Throws naming a key that was not asked for and is none that leaves a model's numbers alone:
  /// what it does is not known here.
  void refuse_unread() const;

 private:
  JsonReader member(const char* key) const;

  JsonReader reader_;
  std::shared_ptr<std::set<std::string, std::less<>>> read_ =
      std::make_shared<std::set<std::string, std::less<>>>();
};

/// "gelu_new" <-> "gelu_tanh" and so on. Throws kBadConfig and kBadData where there is no other
/// name.
std::string their_activation(const std::string& ours);
std::string our_activation(const HfConfig& config, const char* key, const std::string& theirs);

/// Throws kBadConfig naming the option unless the options have these values: what a class needs.
void require_option(bool holds, const std::string& option, const std::string& architecture);

HfPlan gpt1_plan(const TransformerOptions& options, std::int64_t positions, const HfTokens& tokens);
HfPlan gpt2_plan(const TransformerOptions& options, std::int64_t positions, const HfTokens& tokens);
HfPlan llama_plan(const TransformerOptions& options, std::int64_t positions,
                  const HfTokens& tokens);
HfPlan t5_plan(const ConfigNode& model, const TransformerOptions& options, std::int64_t positions,
               const HfTokens& tokens);
HfPlan bert_plan(const std::string& name, const Encoder::Options& options, std::int64_t positions,
                 const HfTokens& tokens, bool headless);
std::vector<HfPlan> electra_plans(const Electra::Options& options, std::int64_t positions,
                                  const HfTokens& tokens, bool headless);

HfImport read_gpt1(const HfConfig& config);
HfImport read_gpt2(const HfConfig& config);
HfImport read_llama(const HfConfig& config);
HfImport read_t5(const HfConfig& config);
HfImport read_bert(const HfConfig& config, const std::string& type, bool pools);
HfImport read_electra(const HfConfig& config);
HfImport read_electra_pair(const HfConfig& main, const HfConfig& generator, bool share_embeddings);

}  // namespace pretrain
