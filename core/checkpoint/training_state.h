#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pretrain {

/// Newest version of state.json this program writes and reads.
inline constexpr std::uint64_t kTrainingStateVersion = 1;

/// One source of samples and the SHA-256 of its content.
struct CursorSource {
  std::string name;
  std::string fingerprint;
  std::uint64_t samples = 0;  ///< of it among those consumed
  bool operator==(const CursorSource&) const = default;
};

/// Where the run stands in its data: an index, so nothing is replayed on resume.
struct DataCursor {
  std::string order_key;  ///< names the sample order; equal keys give the same sample ids
  std::vector<CursorSource> sources;
  std::uint64_t phase = 0;    ///< of the next sample
  std::uint64_t samples = 0;  ///< consumed so far, over all ranks
  bool operator==(const DataCursor&) const = default;
};

/// The best evaluation so far.
struct BestEvaluation {
  std::string set;
  double loss = 0;  ///< nats per target
  std::uint64_t step = 0;
  bool operator==(const BestEvaluation&) const = default;
};

/// Everything of a run that is not a tensor: the content of state.json. Holds nothing that belongs
/// to one rank, so that any world size can go on from it.
struct TrainingState {
  std::uint64_t step = 0;         ///< optimizer updates done
  std::uint64_t tokens = 0;       ///< positions, padding included
  std::uint64_t real_tokens = 0;  ///< positions without padding
  std::uint64_t samples = 0;
  std::uint64_t targets = 0;  ///< positions that carried loss
  double flops = 0;
  double hours = 0;           ///< wall-clock over all attempts
  std::uint64_t attempt = 0;  ///< starts of this run so far
  std::uint64_t seed = 0;
  std::uint64_t skipped = 0;            ///< steps left out for non-finite values, in all
  std::uint64_t consecutive_skips = 0;  ///< of them, those just before `step`
  bool evaluation_pending = false;      ///< one was due at `step` and was interrupted
  std::uint64_t lineage = 0;  ///< raised whenever the run goes on from another than its newest step
  DataCursor data;
  std::optional<BestEvaluation> best;
  bool operator==(const TrainingState&) const = default;
};

/// The text of state.json.
std::string training_state_to_json(const TrainingState& state);
/// Reads it back bit for bit. Throws kBadData naming `place` and the key, and both versions if the
/// text is newer than this program.
TrainingState training_state_from_json(const std::string& text, const std::string& place);

}  // namespace pretrain
