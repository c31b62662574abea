#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/communicator.h"

namespace pretrain {

/// What the launchers say in the environment, read before MPI starts.
struct LaunchFacts {
  std::optional<int> mpirun_size;  ///< OMPI_COMM_WORLD_SIZE
  std::optional<int> mpirun_rank;  ///< OMPI_COMM_WORLD_RANK
  bool pmi = false;                ///< PMIX_RANK, PMI_RANK or PMI_SIZE: as srun --mpi sets them
  std::optional<int> pmi_size;     ///< PMI_SIZE
  std::optional<int> slurm_tasks;  ///< SLURM_NTASKS
  std::optional<int> step_tasks;   ///< SLURM_STEP_NUM_TASKS: tasks of this srun

  /// `get` is getenv or a test's stand-in. Throws kLauncher for a value that is no number.
  static LaunchFacts read(const std::function<const char*(const char*)>& get);
  /// True if there is a launcher that MPI_Init can join.
  bool launched() const { return mpirun_size.has_value() || pmi; }
  /// "mpirun", "srun" or "none".
  const char* launcher() const { return mpirun_size ? "mpirun" : pmi ? "srun" : "none"; }
};

/// Throws kLauncher if the facts contradict the world that came into being: tasks of srun that do
/// not see each other, or a launcher of another MPI than the one linked.
void check_facts(const LaunchFacts& facts, int world, int rank);
/// Throws kLauncher if this is a single rank in a Slurm job of many tasks. For commands that are
/// meant for all ranks; others may run alone in such a job's script.
void check_not_alone(const LaunchFacts& facts, int world);

/// Something that must be the same on all ranks: {"config hash", "3f..."}.
struct NamedValue {
  std::string name;
  std::string value;
};

/// Version, SHA-256 of the running binary and the environment variables that libraries read and
/// that change numbers; a variable that is not set has the value "(not set)".
std::vector<NamedValue> build_facts(const std::string& version);

/// Compares the ranks' values, name by name, and tries an integer all-reduce. Collective; `control`
/// uses host memory, `host` names this rank's machine in messages. Throws AgreedError:
/// kRanksDisagree naming the first value that differs, with rank, host and both values; kLauncher
/// if the all-reduce gives a wrong sum.
void check_launch(Communicator& control, const std::string& host,
                  const std::vector<NamedValue>& values);

}  // namespace pretrain
