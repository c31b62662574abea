#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace pretrain {

/// Owns an HDF5 identifier (hid_t) and closes it with the function that fits its kind:
///   const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, code, "no dataspace");
class Hdf5Handle {
 public:
  /// Throws Error(code, message) if `id` is negative: HDF5's sign of failure.
  Hdf5Handle(std::int64_t id, int (*closer)(std::int64_t), ExitCode code,
             const std::string& message)
      : id_(id), close_(closer) {
    if (id < 0) throw Error(code, message);
  }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;

  operator std::int64_t() const { return id_; }
  /// Closes now and says whether that worked: a file's last bytes are written here.
  bool close() {
    const std::int64_t id = id_;
    id_ = -1;
    return close_(id) >= 0;
  }

 private:
  std::int64_t id_;
  int (*close_)(std::int64_t);
};

}  // namespace pretrain
