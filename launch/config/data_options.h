#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/option_visitor.h"
#include "core/config/span.h"

namespace pretrain {

// The section `data` and the batch schedule. Meanings: the rows in data_options.cpp.

struct DataSource {
  std::string path;
  std::string name;
  std::string split = "train";
  std::optional<double> weight;
  std::optional<double> max_epochs;
  void visit(OptionVisitor& visitor);
};

/// A change of the mixture in mid-run.
struct DataPhase {
  Span from;
  std::map<std::string, double> weights;
  std::optional<std::int64_t> sequence_length;
  void visit(OptionVisitor& visitor);
};

struct DataOptions {
  std::int64_t sequence_length = 1024;
  std::vector<DataSource> sources;
  std::string mixing = "auto";
  double temperature = 1;
  std::optional<std::int64_t> size_cap;
  std::vector<DataPhase> phases;
  std::string packing = "packed";
  bool document_mask = false;
  std::string wrap = "auto";
  bool shuffle = true;
  std::string verify = "auto";
  std::int64_t prefetch = 4;
  std::int64_t io_threads = 1;
  void visit(OptionVisitor& visitor);
};

}  // namespace pretrain
