#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/text/tokenizer.h"
#include "core/text/training/tokenizer_trainer.h"

namespace pretrain::testing {

/// A tokenizer trained on one text, of which nothing is too rare.
inline std::unique_ptr<Tokenizer> trained(const std::string& text, TrainingOptions options) {
  options.min_count = 1;
  bool given = false;
  const auto once = [&](std::string& document) {
    document = text;
    return !std::exchange(given, true);
  };
  return tokenizer_from_json(train_tokenizer(options, once).json, "trained.json");
}

}  // namespace pretrain::testing
