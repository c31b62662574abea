#include "launch/process/launch_check.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "core/base/digest.h"

namespace pretrain {
namespace {

std::optional<int> number(const std::function<const char*(const char*)>& get, const char* name) {
  const char* text = get(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end) {
    fail(ExitCode::kLauncher, name, ": expected a number, got ", text,
         ". Unset it or start with mpirun");
  }
  return value;
}

[[noreturn]] void fail_alone(int tasks) {
  fail(ExitCode::kLauncher, "Slurm started ", tasks,
       " tasks but MPI sees 1 rank in each. Start with mpirun, or srun --mpi=pmix");
}

std::string sha256_of_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  StreamDigest digest;
  std::vector<char> block(1 << 20);
  do {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    digest.update(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(file.gcount()))));
  } while (file);
  if (!file.eof()) fail(ExitCode::kIo, path, ": cannot be read");
  return digest.sha256();
}

void test_all_reduce(Communicator& control) {
  const std::int64_t ranks = control.size();
  std::array<std::int64_t, 64> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (control.rank() + 1) * static_cast<std::int64_t>(i);
  }
  control.all_reduce(values.data(), values.size(), DataType::kI64, ReduceOp::kSum);
  agree(control, [&] {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto expected = static_cast<std::int64_t>(i) * ranks * (ranks + 1) / 2;
      if (values[i] != expected) {
        fail(ExitCode::kLauncher, "launch self-test: all-reduce expected ", expected, ", got ",
             values[i], ". Check the network and the MPI installation");
      }
    }
  });
}

// Names and values in one text, each ended by a byte that neither contains.
std::string joined(const std::string& host, const std::vector<NamedValue>& values) {
  std::string text = host + '\0';
  for (const NamedValue& fact : values) text += fact.name + '\0' + fact.value + '\0';
  return text;
}

std::vector<std::string> separated(const std::string& text) {
  std::vector<std::string> fields;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\0', at);
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return fields;
}

}  // namespace

LaunchFacts LaunchFacts::read(const std::function<const char*(const char*)>& get) {
  LaunchFacts facts;
  facts.mpirun_size = number(get, "OMPI_COMM_WORLD_SIZE");
  facts.mpirun_rank = number(get, "OMPI_COMM_WORLD_RANK");
  for (const char* name : {"PMIX_RANK", "PMI_RANK", "PMI_SIZE"}) facts.pmi |= get(name) != nullptr;
  facts.pmi_size = number(get, "PMI_SIZE");
  facts.slurm_tasks = number(get, "SLURM_NTASKS");
  facts.step_tasks = number(get, "SLURM_STEP_NUM_TASKS");
  return facts;
}

void check_facts(const LaunchFacts& facts, int world, int rank) {
  if (facts.mpirun_size) {
    // Slurm's variables are then those of mpirun's own daemons and say nothing of our ranks.
    if (*facts.mpirun_size != world || facts.mpirun_rank.value_or(rank) != rank) {
      fail(ExitCode::kLauncher, "mpirun started rank ", facts.mpirun_rank.value_or(rank), " of ",
           *facts.mpirun_size, " but MPI sees rank ", rank, " of ", world,
           ". Use the mpirun of the MPI that pretrain is linked with");
    }
    return;
  }
  const int started = facts.step_tasks.value_or(facts.pmi_size.value_or(world));
  if (started == world) return;
  if (world == 1) fail_alone(started);
  fail(ExitCode::kLauncher, "Slurm started ", started, " tasks but MPI sees ", world,
       " ranks. Start with mpirun, or srun --mpi=pmix");
}

void check_not_alone(const LaunchFacts& facts, int world) {
  const int tasks = facts.slurm_tasks.value_or(1);
  if (world == 1 && tasks > 1 && !facts.mpirun_size) fail_alone(tasks);
}

std::vector<NamedValue> build_facts(const std::string& version) {
  std::vector<NamedValue> facts = {{"version", version},
                                   {"binary SHA-256", sha256_of_file("/proc/self/exe")}};
  for (const char* name :
       {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "MKL_CBWR", "MKL_DYNAMIC", "ATEN_CPU_CAPABILITY",
        "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE",
        "NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO", "NCCL_PROTO"}) {
    const char* value = std::getenv(name);
    facts.push_back({name, value != nullptr ? value : "(not set)"});
  }
  return facts;
}

void check_launch(Communicator& control, const std::string& host,
                  const std::vector<NamedValue>& values) {
  test_all_reduce(control);
  const auto texts = all_gather_text(control, joined(host, values));
  const auto first = separated(texts[0]);
  for (std::size_t r = 1; r < texts.size(); ++r) {
    const auto other = separated(texts[r]);
    for (std::size_t i = 2; i < std::max(first.size(), other.size()); i += 2) {
      const auto field = [i](const std::vector<std::string>& fields, std::size_t back) {
        return i - back < fields.size() ? fields[i - back] : std::string("(not given)");
      };
      if (field(first, 0) == field(other, 0) && field(first, 1) == field(other, 1)) continue;
      throw AgreedError(
          ExitCode::kRanksDisagree,
          concat("launch: ", field(first, 1), " differs: expected ", field(first, 0),
                 " as rank 0 (", first[0], "), got ", field(other, 0), " on rank ", r, " (",
                 other[0], "). Start all ranks with the same command, files and environment"));
    }
  }
}

}  // namespace pretrain
