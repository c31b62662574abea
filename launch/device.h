#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <string>

#include "core/communicator.h"
#include "launch/config/run_config.h"
#include "launch/process/process.h"

namespace pretrain {

/// Where this rank computes: run.device, one GPU a rank. Throws kLauncher if there is none for it.
c10::Device device_of(const RunConfig& config, const Process& process);
/// parallel.backend, with auto resolved for `world` ranks on `device`.
std::string backend_name(const RunConfig& config, c10::Device device, int world);
/// The communicator of the gradients. Throws kBadConfig if it does not reach the device's memory.
std::unique_ptr<Communicator> build_communicator(const RunConfig& config, c10::Device device,
                                                 Process& process);

}  // namespace pretrain
