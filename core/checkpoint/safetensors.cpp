#include "core/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/json/json_reader.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kMaxRank = 16;
constexpr std::size_t kMaxNameBytes = 512;
constexpr std::size_t kHeaderAlignment = 8;
constexpr std::size_t kLengthBytes = 8;

constexpr std::array<std::pair<const char*, std::uint64_t>, 15> kDtypes = {{{"BOOL", 1},
                                                                            {"U8", 1},
                                                                            {"I8", 1},
                                                                            {"F8_E5M2", 1},
                                                                            {"F8_E4M3", 1},
                                                                            {"I16", 2},
                                                                            {"U16", 2},
                                                                            {"F16", 2},
                                                                            {"BF16", 2},
                                                                            {"I32", 4},
                                                                            {"U32", 4},
                                                                            {"F32", 4},
                                                                            {"I64", 8},
                                                                            {"U64", 8},
                                                                            {"F64", 8}}};

std::array<std::byte, kLengthBytes> little_endian(std::uint64_t value) {
  std::array<std::byte, kLengthBytes> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(value >> (8 * i) & 0xff);
  return bytes;
}

std::uint64_t from_little_endian(const std::array<std::byte, kLengthBytes>& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

/// Bytes of a tensor; kBadData if type, rank or size are not sound.
std::uint64_t tensor_bytes(const std::string& dtype, const std::vector<std::int64_t>& shape,
                           const std::string& place) {
  const std::uint64_t width = safetensors_dtype_bytes(dtype);
  if (width == 0) fail(ExitCode::kBadData, place, ": type ", dtype, " is not known");
  if (shape.size() > kMaxRank) {
    fail(ExitCode::kBadData, place, ": has ", shape.size(), " dimensions, expected at most ",
         kMaxRank);
  }
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(element_count(shape, place), width, &bytes)) {
    fail(ExitCode::kBadData, place, ": its size does not fit 64 bits");
  }
  return bytes;
}

std::string header_text(const std::vector<TensorView>& tensors) {
  std::string text = R"({"__metadata__":{"format":"pt"})";
  std::set<std::string_view> names = {"__metadata__"};
  std::uint64_t offset = 0;
  for (const TensorView& tensor : tensors) {
    const std::uint64_t bytes = tensor.bytes.size();
    if (tensor.name.empty() || tensor.name.size() > kMaxNameBytes ||
        !names.insert(tensor.name).second) {
      fail(ExitCode::kInternal, "tensor \"", tensor.name, "\" has no usable or no unique name");
    }
    if (tensor_bytes(tensor.dtype, tensor.shape, tensor.name) != bytes) {
      fail(ExitCode::kInternal, "tensor ", tensor.name, ": ", bytes,
           " bytes do not fit its type and shape");
    }
    const nlohmann::json entry = {{"dtype", tensor.dtype},
                                  {"shape", tensor.shape},
                                  {"data_offsets", {offset, offset + bytes}}};
    text += concat(',', nlohmann::json(tensor.name).dump(), ':', entry.dump());
    offset += bytes;
  }
  text += "}";
  text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  return text;
}

TensorInfo tensor_info(const JsonReader& entry) {
  TensorInfo info;
  for (const auto& [key, value] : entry.members()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      fail(ExitCode::kBadData, value.place(), ": is not a member of a tensor");
    }
  }
  info.dtype = entry.at("dtype").text();
  for (const JsonReader& dimension : entry.at("shape").items()) {
    const std::uint64_t size = dimension.whole();
    if (size > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
      fail(ExitCode::kBadData, dimension.place(), ": does not fit 63 bits");
    }
    info.shape.push_back(static_cast<std::int64_t>(size));
  }
  const auto offsets = entry.at("data_offsets").items();
  if (offsets.size() != 2) {
    fail(ExitCode::kBadData, entry.place(), ": data_offsets: expected [begin, end]");
  }
  info.begin = offsets[0].whole();
  info.end = offsets[1].whole();
  const std::uint64_t bytes = tensor_bytes(info.dtype, info.shape, entry.place());
  if (info.begin > info.end || info.end - info.begin != bytes) {
    fail(ExitCode::kBadData, entry.place(), ": data_offsets [", info.begin, ", ", info.end,
         "] do not span the ", bytes, " bytes of its type and shape");
  }
  return info;
}

void check_name(const std::string& name, const std::string& place) {
  const bool printable = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c >= 0x20 && c != 0x7f;  // UTF-8 was checked with the whole header
  });
  if (name.empty() || name.size() > kMaxNameBytes || !printable) {
    fail(ExitCode::kBadData, place, ": a tensor's name must have 1 to ", kMaxNameBytes,
         " printable bytes");
  }
}

/// Throws unless the tensors fill `data_bytes` from the first byte to the last, each byte once.
void check_contiguous(const std::map<std::string, TensorInfo>& tensors, std::uint64_t data_bytes,
                      const std::string& place) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, info] : tensors) ranges.emplace_back(info.begin, info.end);
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t expected = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != expected) {
      fail(ExitCode::kBadData, place, ": data_offsets leave a hole or overlap at byte ",
           std::min(begin, expected), " of the data");
    }
    expected = end;
  }
  if (expected != data_bytes) {
    fail(ExitCode::kBadData, place, ": tensors have ", expected, " bytes, the file has ",
         data_bytes, " bytes of data. Copy it again");
  }
}

}  // namespace

std::uint64_t safetensors_dtype_bytes(const std::string& dtype) {
  for (const auto& [name, bytes] : kDtypes) {
    if (dtype == name) return bytes;
  }
  return 0;
}

std::uint64_t element_count(const std::vector<std::int64_t>& shape, const std::string& place) {
  std::uint64_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0 ||
        __builtin_mul_overflow(count, static_cast<std::uint64_t>(dimension), &count)) {
      fail(ExitCode::kBadData, place, ": its shape has no count of elements below 2^64");
    }
  }
  return count;
}

std::uint64_t safetensors_file_bytes(const std::vector<TensorView>& tensors) {
  std::uint64_t bytes = kLengthBytes + header_text(tensors).size();
  for (const TensorView& tensor : tensors) bytes += tensor.bytes.size();
  return bytes;
}

FileDigest write_safetensors(const Directory& directory, const std::string& name,
                             const std::vector<TensorView>& tensors) {
  const std::string header = header_text(tensors);
  const auto length = little_endian(header.size());
  FileDigest written{name, safetensors_file_bytes(tensors), "", ""};

  OutputFile file = directory.create_file(name);
  file.reserve(written.bytes);
  StreamDigest digest;
  const auto put = [&](std::span<const std::byte> bytes) {
    // In cache-sized parts: digests and the copy into the page cache read the same warm bytes.
    constexpr std::size_t kPart = std::size_t{1} << 20;
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(kPart, bytes.size()))) {
      const auto part = bytes.first(std::min(kPart, bytes.size()));
      digest.update(part);
      file.write(part);
    }
  };
  put(length);
  put(std::as_bytes(std::span(header)));
  for (const TensorView& tensor : tensors) put(tensor.bytes);
  file.sync();
  file.close();
  written.xxh3_128 = digest.xxh3_128();
  written.sha256 = digest.sha256();
  return written;
}

SafetensorsFile::SafetensorsFile(const Directory& directory, const std::string& name)
    : file_(directory.open_file(name)) {
  const std::string& place = file_.path();
  if (file_.size() < kLengthBytes) {
    fail(ExitCode::kBadData, place, ": has ", file_.size(), " bytes, expected at least 8");
  }
  std::array<std::byte, kLengthBytes> length{};
  file_.read(0, length);
  const std::uint64_t header_bytes = from_little_endian(length);
  if (header_bytes > kMaxHeaderBytes || header_bytes > file_.size() - kLengthBytes) {
    fail(ExitCode::kBadData, place, ": its header of ", header_bytes,
         " bytes is longer than the file or than ", kMaxHeaderBytes, " bytes");
  }
  std::string header(header_bytes, '\0');
  file_.read(kLengthBytes, std::as_writable_bytes(std::span(header)));
  if (!header.starts_with('{')) fail(ExitCode::kBadData, place, ": the header is no JSON object");

  JsonLimits limits;
  limits.max_bytes = kMaxHeaderBytes;
  const JsonValue json = parse_json(header, place, limits);
  for (const auto& [key, entry] : JsonReader(json, place).members()) {
    if (key == "__metadata__") {
      for (const auto& [word, text] : entry.members()) text.text();
      continue;
    }
    check_name(key, place);
    tensors_.emplace(key, tensor_info(entry));
  }
  data_begin_ = kLengthBytes + header_bytes;
  check_contiguous(tensors_, file_.size() - data_begin_, place);
  file_.require_unchanged();
}

void SafetensorsFile::read(const TensorInfo& tensor, std::uint64_t offset,
                           std::span<std::byte> out) const {
  const std::uint64_t bytes = tensor.end - tensor.begin;
  if (offset > bytes || out.size() > bytes - offset) {
    fail(ExitCode::kBadData, file_.path(), ": bytes ", offset, " to ", offset + out.size(),
         " asked of a tensor of ", bytes);
  }
  file_.read(data_begin_ + tensor.begin + offset, out);
  file_.require_unchanged();
}

}  // namespace pretrain
