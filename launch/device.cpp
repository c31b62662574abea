#include "launch/device.h"

#include <torch/cuda.h>

namespace pretrain {

c10::Device device_of(const RunConfig& config, const Process& process) {
  const auto devices = static_cast<int>(torch::cuda::device_count());
  if (config.run.device == "cuda" && devices == 0) {
    fail(ExitCode::kLauncher,
         "run.device cuda: this build or this machine has no CUDA device. "
         "Use run.device=cpu, or build with -DPRETRAIN_CUDA=ON");
  }
  if (config.run.device == "cpu" || devices == 0) return c10::Device(c10::kCPU);
  if (process.local_rank() >= devices) {
    fail(ExitCode::kLauncher, "rank ", process.rank(), " (", process.host(), ") is rank ",
         process.local_rank(), " of its host, which has ", devices, " GPUs. Start one rank a GPU");
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(process.local_rank()));
}

std::string backend_name(const RunConfig& config, c10::Device device, int world) {
  if (config.parallel.backend != "auto") return config.parallel.backend;
  if (world == 1) return "local";
  return device.is_cuda() ? "nccl" : "mpi";
}

// `local` moves nothing, so it serves a single GPU too; all others must reach the gradients.
std::unique_ptr<Communicator> build_communicator(const RunConfig& config, c10::Device device,
                                                 Process& process) {
  const std::string name = backend_name(config, device, process.world());
  const CommunicatorContext context{&process.control(), device.is_cuda() ? device.index() : -1};
  auto group = communicators().create(name, context);
  if (group->size() > 1 && group->device_memory() != device.is_cuda()) {
    fail(ExitCode::kBadConfig, "parallel.backend ", name, " does not reach the memory of ",
         device.str(), ". Use parallel.backend=auto");
  }
  return group;
}

}  // namespace pretrain
