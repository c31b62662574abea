#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/data/batch_schedule.h"
#include "core/data/mixture/sample_plan.h"
#include "launch/inputs.h"

namespace pretrain {

/// The data of a run, opened to ask which sample came from where. Nothing is replayed: every answer
/// is computed from the config and a number.
struct DataAudit {
  RunConfig config;
  RunInputs inputs;
  RowShape shape;
  BatchSchedule batches{1};
  std::unique_ptr<SamplePlan> plan;

  /// Shard and document that a token place stands in, one after the other if it spans several.
  struct Extract {
    const Corpus* corpus = nullptr;
    std::uint64_t document = 0;
    std::uint64_t begin = 0;  ///< tokens of the document
    std::uint64_t end = 0;
  };
  static std::vector<Extract> extracts(const TokenPlace& place);

  /// How many targets of each (shard, document) of a source lie in the rows drawn of its current
  /// epoch, after `samples` samples of it. Linear in those rows.
  std::map<std::pair<const Corpus*, std::uint64_t>, std::uint64_t> drawn_in_epoch(
      std::size_t source, std::uint64_t samples) const;
};

/// Opens the corpora of a config (their sizes are checked, not their digests).
DataAudit open_audit(RunConfig config);

}  // namespace pretrain
