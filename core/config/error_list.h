#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/config_node.h"

namespace pretrain {

/// Collects the faults of a configuration so that a user sees them together. Not thread-safe.
class ErrorList {
 public:
  static constexpr std::size_t kShown = 20;

  /// One message, "PLACE: text". Control bytes are escaped, so that a message is one line.
  void add(const Mark& place, const std::string& text) { add(to_string(place) + ": " + text); }
  void add(const std::string& message) {
    if (full()) {
      ++hidden_;
    } else {
      messages_.push_back(escaped(message));
    }
  }

  bool empty() const { return messages_.empty(); }
  /// True once more messages would not be shown.
  bool full() const { return messages_.size() >= kShown; }
  const std::vector<std::string>& messages() const { return messages_; }

  /// Throws one Error(kBadConfig) with a message a line, unless there are none.
  void throw_if_any() const {
    if (messages_.empty()) return;
    std::string all;
    for (const std::string& message : messages_) all += (all.empty() ? "" : "\n") + message;
    if (hidden_ > 0)
      all += concat("\n", hidden_, " more errors are not shown. Correct these first");
    throw Error(ExitCode::kBadConfig, all);
  }

 private:
  static std::string escaped(const std::string& message) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    for (const char c : message) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7F) {
        out += c;
      } else {
        out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    }
    return out;
  }

  std::vector<std::string> messages_;
  std::size_t hidden_ = 0;
};

}  // namespace pretrain
