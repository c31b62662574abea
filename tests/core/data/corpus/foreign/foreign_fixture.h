#pragma once

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "core/data/corpus/foreign/document_sink.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {

/// Keeps the documents it is given.
class DocumentList : public DocumentSink {
 public:
  void append(std::span<const std::uint32_t> ids) override {
    open_.insert(open_.end(), ids.begin(), ids.end());
  }
  void end_document() override { documents.push_back(std::exchange(open_, {})); }

  std::vector<std::vector<std::uint32_t>> documents;

 private:
  std::vector<std::uint32_t> open_;
};

/// The bytes of the values, one after the other.
template <class T>
std::string packed(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// `file` with the bytes of `value` from byte `at`.
template <class T>
std::string patched(std::string file, std::size_t at, T value) {
  std::memcpy(file.data() + at, &value, sizeof value);
  return file;
}

/// Parts of a Megatron-LM index, so that each can be wrong by itself.
struct MegatronParts {
  std::uint64_t version = 1;
  std::uint8_t type = 8;
  std::vector<std::int32_t> lengths = {};
  std::vector<std::int64_t> pointers = {};
  std::vector<std::int64_t> documents = {};
  std::vector<std::int8_t> modes = {};

  std::string idx() const {
    return std::string("MMIDIDX\0\0", 9) + packed(std::vector{version}) +
           packed(std::vector{type}) + packed(std::vector<std::uint64_t>{lengths.size()}) +
           packed(std::vector<std::uint64_t>{documents.size()}) + packed(lengths) +
           packed(pointers) + packed(documents) + packed(modes);
  }
};

/// Three documents of two, one and no sequence: tokens 1 2 3 | 4 | none.
inline MegatronParts small_megatron() {
  return {.lengths = {2, 1, 1}, .pointers = {0, 4, 6}, .documents = {0, 2, 3, 3}};
}
inline std::string small_megatron_bin() { return packed<std::uint16_t>({1, 2, 3, 4}); }

}  // namespace pretrain
