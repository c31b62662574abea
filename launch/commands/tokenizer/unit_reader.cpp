#include "launch/commands/tokenizer/unit_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::size_t kFrameHead = 4;

}  // namespace

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = kFrameHead; i-- > 0;) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

void append_u32(std::uint32_t value, std::string& bytes) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    bytes += static_cast<char>(value >> shift & 0xFFU);
  }
}

UnitSeparator UnitSeparator::parse(const std::string& word) {
  if (word.empty()) {
    fail(ExitCode::kUsage, "--doc-sep is empty. Give line, file, framed or a text");
  }
  if (word == "line") return {.kind = Kind::kLine};
  if (word == "file") return {.kind = Kind::kFile};
  if (word == "framed") return {.kind = Kind::kFramed};
  return {.kind = Kind::kText, .text = word};
}

UnitReader::UnitReader(const std::string& input, UnitSeparator separator)
    : name_(input == "-" ? "standard input" : input),
      separator_(std::move(separator)),
      descriptor_(input == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                               : ::open(input.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_.get() < 0) fail_input(errno, name_, "open");
  struct stat info {};
  if (::fstat(descriptor_.get(), &info) != 0) return;
  if (S_ISDIR(info.st_mode)) fail(ExitCode::kBadData, name_, ": is a folder. Name a file in it");
  if (S_ISREG(info.st_mode)) total_bytes_ = static_cast<std::uint64_t>(info.st_size);
}

// Reads up to `bytes` bytes more; false if there were none left.
bool UnitReader::fill(std::uint64_t bytes) {
  const std::size_t before = buffer_.size();
  std::size_t have = before;
  buffer_.resize(before + bytes);
  while (have < buffer_.size() && !ended_) {
    const ssize_t n = ::read(descriptor_.get(), buffer_.data() + have, buffer_.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_input(errno, name_, "read");
    ended_ = n == 0;
    have += static_cast<std::size_t>(n);
  }
  buffer_.resize(have);
  bytes_read_ += have - before;
  return have > before;
}

std::size_t UnitReader::find_frames(std::vector<std::string_view>& units) {
  const std::size_t unit_bytes = separator_.kind == UnitSeparator::Kind::kFramedIds ? 4 : 1;
  const std::string_view rest = buffer_;
  std::size_t begin = 0;
  while (begin + kFrameHead <= rest.size()) {
    const std::size_t length = read_u32(rest.substr(begin)) * unit_bytes;
    if (length > rest.size() - begin - kFrameHead) break;
    units.push_back(rest.substr(begin + kFrameHead, length));
    begin += kFrameHead + length;
  }
  if (ended_ && begin < rest.size()) {
    fail(ExitCode::kBadData, name_, ": the frame at byte ", bytes_read_ - (rest.size() - begin),
         " ends early. It begins with its length, u32 little-endian");
  }
  return begin;
}

std::size_t UnitReader::find_texts(std::vector<std::string_view>& units) {
  const bool lines = separator_.kind == UnitSeparator::Kind::kLine;
  const std::string_view mark = lines ? "\n" : std::string_view(separator_.text);
  const std::string_view rest = buffer_;
  std::size_t begin = 0;
  std::size_t end = std::string_view::npos;
  const auto give = [&](std::string_view unit) {
    if (lines && unit.ends_with('\r')) unit.remove_suffix(1);
    units.push_back(unit);
  };
  const bool splits = separator_.kind != UnitSeparator::Kind::kFile;
  while (splits && (end = rest.find(mark, searched_)) != std::string_view::npos) {
    give(rest.substr(begin, end - begin));
    begin = searched_ = end + mark.size();
  }
  if (ended_ && begin < rest.size()) {
    give(rest.substr(begin));
    begin = rest.size();
  }
  // A mark may begin in this piece and end in the next.
  const std::size_t open = rest.size() - begin;
  searched_ = open - std::min(open, splits ? mark.size() - 1 : 0);
  return begin;
}

bool UnitReader::next(std::vector<std::string_view>& units, std::uint64_t batch_bytes) {
  units.clear();
  buffer_.erase(0, used_);
  used_ = 0;
  while (units.empty() && !(ended_ && buffer_.empty())) {
    fill(std::max<std::uint64_t>(batch_bytes, buffer_.size()));
    const bool framed = separator_.kind == UnitSeparator::Kind::kFramed ||
                        separator_.kind == UnitSeparator::Kind::kFramedIds;
    used_ = framed ? find_frames(units) : find_texts(units);
  }
  return !units.empty();
}

}  // namespace pretrain
