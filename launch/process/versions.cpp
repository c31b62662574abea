#include "launch/process/versions.h"

#include <H5public.h>
#include <mpi.h>
#include <spdlog/version.h>
#include <torch/version.h>
#include <xxhash.h>

#include "core/base/error.h"

namespace pretrain {

std::string program_version() { return PRETRAIN_VERSION; }

std::string libtorch_version() { return TORCH_VERSION; }

std::vector<std::pair<std::string, std::string>> component_versions() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return {
      {"pretrain", program_version()},
      {"libtorch", libtorch_version()},
      {"openmpi", concat(OMPI_MAJOR_VERSION, ".", OMPI_MINOR_VERSION, ".", OMPI_RELEASE_VERSION)},
      {"hdf5", concat(major, ".", minor, ".", release)},
      {"spdlog", concat(SPDLOG_VER_MAJOR, ".", SPDLOG_VER_MINOR, ".", SPDLOG_VER_PATCH)},
      {"xxhash", concat(XXH_VERSION_MAJOR, ".", XXH_VERSION_MINOR, ".", XXH_VERSION_RELEASE)},
      {"compiler", "GCC " __VERSION__},
      {"cuda", PRETRAIN_CUDA_TEXT},
  };
}

}  // namespace pretrain
