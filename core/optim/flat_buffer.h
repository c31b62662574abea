#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace pretrain {

/// All parameters of a module in one contiguous fp32 buffer, and all gradients in another.
///
/// Layout: tensors of two or more dimensions first (they get weight decay), then the others, then
/// those that are frozen (requires_grad false: no optimizer touches them); each starts at a
/// multiple of 16 elements (64 bytes) and the whole is padded to a multiple of 1,024, so that it
/// divides among ranks. Padding stays zero. The module's parameters become views of values(), their
/// .grad views of gradients(); nobody may replace either afterwards.
class FlatBuffer {
 public:
  struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t begin = 0;  ///< first element in the buffer
    std::int64_t count = 0;
  };

  /// Moves the parameters (fp32) of `module` into a new buffer on their device, keeping values.
  explicit FlatBuffer(torch::nn::Module& module);

  const at::Tensor& values() const { return values_; }        ///< [size] fp32
  const at::Tensor& gradients() const { return gradients_; }  ///< [size] fp32
  const std::vector<Entry>& entries() const { return entries_; }
  /// Elements [0, decayed) belong to tensors with weight decay.
  std::int64_t decayed() const { return decayed_; }
  /// Elements [decayed, trained) belong to tensors without, the rest to frozen ones.
  std::int64_t trained() const { return trained_; }
  std::int64_t size() const { return values_.numel(); }
  std::int64_t parameter_count() const;

  void zero_gradients();

 private:
  std::vector<Entry> entries_;
  at::Tensor values_;
  at::Tensor gradients_;
  std::int64_t decayed_ = 0;
  std::int64_t trained_ = 0;
};

}  // namespace pretrain
