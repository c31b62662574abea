#pragma once

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace pretrain {

/// Exit codes of the program (the full contract stands in launch/README.md). All are below 128.
enum class ExitCode : int {
  kOk = 0,
  kUsage = 2,
  kBadData = 65,
  kLauncher = 69,
  kInternal = 70,
  kOutOfMemory = 71,
  kHang = 72,
  kCannotCreate = 73,
  kIo = 74,
  kStopped = 75,
  kNumerics = 76,
  kLocked = 77,
  kBadConfig = 78,
  kRanksDisagree = 79,
};

/// A fault with the exit code it leads to. what() is the message without prefix, in the form
/// "PLACE: WHAT, expected, got. NEXT STEP".
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// An Error as it is; what the standard library and libtorch throw for want of memory becomes
/// kOutOfMemory, all else kInternal. Traces of the stack are cut off.
Error as_error(const std::exception& error);

/// Joins the parts as an ostream prints them: concat("step ", 12) == "step 12".
template <class... Parts>
std::string concat(Parts&&... parts) {
  std::ostringstream out;
  (out << ... << std::forward<Parts>(parts));
  return out.str();
}

/// Throws Error(code, concat(parts...)).
template <class... Parts>
[[noreturn]] void fail(ExitCode code, Parts&&... parts) {
  throw Error(code, concat(std::forward<Parts>(parts)...));
}

}  // namespace pretrain
