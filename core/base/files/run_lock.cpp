#include "core/base/files/run_lock.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <system_error>

#include "core/base/error.h"
#include "core/base/json/json_reader.h"
#include "core/base/wall_clock.h"

namespace pretrain {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr char kName[] = "run.lock";
// The file always has this size, padded with blanks, so that rewriting it in place is one write.
constexpr std::size_t kFileBytes = 1024;
constexpr std::size_t kMaxJobBytes = 128;

/// What a lock file says of its holder.
struct Holder {
  std::string host;
  std::uint64_t pid = 0;
  std::string job;
  std::string start;  ///< UTC, "2026-11-23T09:12:00Z"
  std::string nonce;
  std::uint64_t counter = 0;
  std::string boot_id;
  std::uint64_t pid_namespace = 0;
  std::uint64_t start_ticks = 0;
};

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::uint64_t pid_namespace() {
  struct stat info {};
  return ::stat("/proc/self/ns/pid", &info) == 0 ? std::uint64_t{info.st_ino} : 0;
}

/// Time of the process's start in clock ticks since boot; 0 if there is no such live process.
std::uint64_t start_ticks(std::uint64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The second field, the program's name in brackets, may hold anything.
  const std::size_t bracket = line.rfind(')');
  if (bracket == std::string::npos) return 0;
  std::istringstream fields(line.substr(bracket + 1));
  std::string state;
  std::string skipped;
  std::uint64_t ticks = 0;
  fields >> state;  // field 3
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> ticks;
  return state == "Z" || state == "X" ? 0 : ticks;
}

/// The holder, or nothing if the text is torn.
std::optional<Holder> parse(const std::string& text) {
  try {
    const JsonValue value = parse_json(text, kName);
    const JsonReader json(value, kName);
    Holder holder;
    holder.host = json.at("host").text();
    holder.pid = json.at("pid").whole();
    holder.job = json.at("job").text();
    holder.start = json.at("start").text();
    holder.nonce = json.at("nonce").text();
    holder.counter = json.at("counter").whole();
    holder.boot_id = json.at("boot_id").text();
    holder.pid_namespace = json.at("pid_namespace").whole();
    holder.start_ticks = json.at("start_ticks").whole();
    return holder;
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// "nodeA pid 4711 since 09:12", with the date unless it is today.
std::string describe(const Holder& holder) {
  const std::string today = utc_now().substr(0, 10);
  std::string since = holder.start.substr(0, 16);
  if (since.size() == 16) since[10] = ' ';
  if (since.starts_with(today)) since.erase(0, 11);
  return concat(holder.host, " pid ", holder.pid, " since ", since);
}

/// The text of the lock file; nothing if there is none.
std::optional<std::string> read_lock(const Directory& directory) {
  try {
    return directory.read_text(kName, 4 * kFileBytes);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kBadData) throw;
    fail(ExitCode::kCannotCreate, error.what(), ". Remove it or use another run.dir");
  }
}

[[noreturn]] void fail_held(const Directory& directory, const Holder& holder) {
  struct stat info {};
  const std::string path = directory.path_of(kName);
  std::string beat;
  if (::lstat(path.c_str(), &info) == 0) {
    const auto age = std::max<std::time_t>(0, std::time(nullptr) - info.st_mtim.tv_sec);
    beat = concat("last beat ", age, " s ago");
  }
  const std::string job = holder.job.empty() ? "" : concat("job ", holder.job, ", ");
  fail(ExitCode::kLocked, directory.path(), " is in use by ", describe(holder), " (", job, beat,
       "). Wait, or use another run.dir");
}

enum class Verdict { kHeld, kStale, kWatch };

/// What can be known at once of the holder: only processes of this host and pid namespace show.
Verdict judge(const Holder& holder) {
  const std::string boot = boot_id();
  if (boot.empty()) return Verdict::kWatch;
  if (holder.boot_id == boot) {
    if (holder.pid_namespace != pid_namespace()) return Verdict::kWatch;
    const std::uint64_t ticks = start_ticks(holder.pid);
    return ticks != 0 && ticks == holder.start_ticks ? Verdict::kHeld : Verdict::kStale;
  }
  return holder.host == host_name() ? Verdict::kStale : Verdict::kWatch;
}

void sleep_seconds(double seconds) { std::this_thread::sleep_for(Seconds(seconds)); }

}  // namespace

RunLock::RunLock(const std::string& run_dir, RunLockOptions options)
    : directory_(Directory::open(run_dir)),
      options_(std::move(options)),
      nonce_(random_hex(16)),
      start_(utc_now()) {
  options_.job.resize(std::min(options_.job.size(), kMaxJobBytes));
  acquire();
  directory_.remove_leftovers();
  // Signals belong to the thread that polls for them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    heart_ = std::thread([this] { beat(); });
  } catch (const std::system_error& error) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    directory_.remove_file(kName);
    fail(ExitCode::kOutOfMemory, directory_.path(),
         ": cannot start the thread that holds it: ", error.what(),
         ". Raise the limit of processes");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RunLock::~RunLock() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
  heart_.join();
  try {
    if (still_ours()) directory_.remove_file(kName);
  } catch (const Error&) {
    // The next start finds a lock of a dead process and takes it over.
  }
}

std::string RunLock::own_text() const {
  const nlohmann::ordered_json json = {{"host", host_name()},
                                       {"pid", static_cast<std::uint64_t>(::getpid())},
                                       {"job", options_.job},
                                       {"start", start_},
                                       {"nonce", nonce_},
                                       {"counter", counter_},
                                       {"boot_id", boot_id()},
                                       {"pid_namespace", pid_namespace()},
                                       {"start_ticks", start_ticks(std::uint64_t(::getpid()))}};
  std::string text = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  text.resize(std::max(kFileBytes, text.size() + 1), ' ');
  text.back() = '\n';
  return text;
}

void RunLock::acquire() {
  const std::string own_file = unique_name(concat("tmp-", kName));
  file_ = directory_.create_file(own_file);
  try {
    file_->write(own_text());
    file_->sync();
    while (!take_free(own_file)) {
      const auto existing = read_lock(directory_);
      if (existing && take_over(*existing, own_file)) break;  // else its holder has just ended
    }
  } catch (const Error&) {
    if (directory_.exists(own_file)) directory_.remove_file(own_file);
    throw;
  }
}

bool RunLock::take_free(const std::string& own_file) {
  try {
    directory_.rename_new(own_file, kName);
  } catch (const Error&) {
    if (!directory_.exists(kName)) throw;
    return false;
  }
  directory_.sync();
  return true;
}

bool RunLock::take_over(const std::string& stale_text, const std::string& own_file) {
  const std::optional<Holder> holder = parse(stale_text);
  const std::string who = holder ? describe(*holder) : "a torn lock file";
  const Verdict verdict = holder ? judge(*holder) : Verdict::kWatch;
  if (verdict == Verdict::kHeld) fail_held(directory_, *holder);
  if (verdict == Verdict::kWatch && !watch(stale_text, who)) return false;
  if (read_lock(directory_) != stale_text) {
    fail(ExitCode::kLocked, directory_.path(), " is being taken by another run. Try again");
  }
  directory_.rename(own_file, kName);
  directory_.sync();
  sleep_seconds(options_.settle_seconds);
  require();
  taken_over_from_ = who;
  return true;
}

bool RunLock::watch(const std::string& stale_text, const std::string& who) const {
  options_.log(concat(directory_.path(), ": waiting up to ", options_.stale_seconds,
                      " s for a beat of ", who));
  const auto deadline = Clock::now() + Seconds(options_.stale_seconds);
  while (Clock::now() < deadline) {
    sleep_seconds(std::min(1.0, options_.stale_seconds / 10));
    const auto text = read_lock(directory_);
    if (!text) return false;
    const auto now = parse(*text);
    // Nobody's lock stays torn: a holder that lives rewrites it with the next beat.
    if (now && *text != stale_text) fail_held(directory_, *now);
  }
  return true;
}

bool RunLock::still_ours() {
  // The beat rewrites the file; without the mutex this could see it half-written.
  const std::lock_guard lock(mutex_);
  return has_own_nonce();
}

bool RunLock::has_own_nonce() {
  if (lost_) return false;
  const auto holder = parse(read_lock(directory_).value_or(""));
  lost_ = !holder || holder->nonce != nonce_;
  return !lost_;
}

void RunLock::require() {
  if (still_ours()) return;
  const auto holder = parse(read_lock(directory_).value_or(""));
  fail(ExitCode::kLocked, directory_.path(), ": the lock was lost to ",
       holder ? describe(*holder) : "someone who removed it", ". This run has stopped publishing");
}

void RunLock::beat() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, Seconds(options_.beat_seconds), [&] { return ending_; })) {
    try {
      if (!has_own_nonce()) return;
      ++counter_;
      const std::string text = own_text();
      file_->write_at(0, std::as_bytes(std::span(text)));
    } catch (const std::exception&) {
      // A disk that fails now may recover; saves ask still_ours() themselves and report it.
    }
  }
}

}  // namespace pretrain
