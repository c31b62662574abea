#include "core/checkpoint/retention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint_reader.h"

namespace pretrain {
namespace {

bool better(const RetentionCandidate& a, const RetentionCandidate& b) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const double loss_a = a.loss.value_or(kNone);
  const double loss_b = b.loss.value_or(kNone);
  return loss_a != loss_b ? loss_a < loss_b : a.name > b.name;
}

}  // namespace

std::vector<RetentionCandidate> retention_candidates(const Directory& checkpoints,
                                                     const std::string& best_set) {
  std::vector<RetentionCandidate> candidates;
  for (const CheckpointName& name : checkpoint_names(checkpoints)) {
    try {
      const CheckpointReader reader = open_checkpoint(checkpoints, name);
      reader.verify(VerifyMode::kSizes);
      RetentionCandidate candidate{name, std::nullopt};
      const auto loss = reader.manifest().eval.find(best_set);
      if (loss != reader.manifest().eval.end() && std::isfinite(loss->second)) {
        candidate.loss = loss->second;
      }
      candidates.push_back(candidate);
    } catch (const Error& error) {
      // A damaged one counts for no rule and is nobody's victim.
      if (error.code() != ExitCode::kBadData) throw;
    }
  }
  return candidates;
}

std::optional<CheckpointName> best_checkpoint(const std::vector<RetentionCandidate>& candidates) {
  const auto best = std::min_element(candidates.begin(), candidates.end(), better);
  if (best == candidates.end() || !best->loss) return std::nullopt;
  return best->name;
}

std::vector<CheckpointName> retention_victims(std::vector<RetentionCandidate> candidates,
                                              const RetentionRules& rules) {
  std::set<CheckpointName> kept;
  const auto keep_first = [&](std::int64_t count) {
    for (std::size_t i = 0; i < candidates.size() && std::cmp_less(i, count); ++i) {
      kept.insert(candidates[i].name);
    }
  };
  std::sort(candidates.begin(), candidates.end(),
            [](const auto& a, const auto& b) { return a.name > b.name; });
  keep_first(rules.keep_last);
  for (const RetentionCandidate& candidate : candidates) {
    if (rules.keep_every_steps > 0 && candidate.name.step % rules.keep_every_steps == 0) {
      kept.insert(candidate.name);
    }
  }
  std::sort(candidates.begin(), candidates.end(), better);
  keep_first(std::min<std::int64_t>(
      rules.keep_best, std::count_if(candidates.begin(), candidates.end(),
                                     [](const auto& candidate) { return candidate.loss; })));
  std::vector<CheckpointName> victims;
  for (const RetentionCandidate& candidate : candidates) {
    if (!kept.contains(candidate.name)) victims.push_back(candidate.name);
  }
  std::sort(victims.begin(), victims.end());
  return victims;
}

bool remove_checkpoint(const Directory& checkpoints, const CheckpointName& name) {
  const CheckpointReader reader = open_checkpoint(checkpoints, name);
  std::set<std::string> ours = {"manifest.json", "manifest.sha256"};
  for (const FileDigest& file : reader.manifest().files) ours.insert(file.name);
  for (const std::string& entry : Directory::open(reader.path()).list()) {
    if (!ours.contains(entry)) return false;
  }
  const std::string trash = trash_name(name);
  checkpoints.rename_new(to_string(name), trash);
  checkpoints.sync();  // else a power cut could bring the name back to a half-emptied directory
  checkpoints.remove_directory(trash);
  return true;
}

}  // namespace pretrain
