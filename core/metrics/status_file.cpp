#include "core/metrics/status_file.h"

#include <array>
#include <exception>
#include <utility>

#include "core/base/files/file.h"
#include "core/base/files/pending_file.h"
#include "core/base/json/json_reader.h"
#include "core/base/logging.h"

namespace pretrain {

constexpr std::size_t kMaxStatusBytes = 1 << 20;

const char* to_string(RunState state) {
  constexpr std::array<const char*, 7> kNames{"starting", "running", "evaluating", "saving",
                                              "done",     "stopped", "failed"};
  return kNames.at(static_cast<std::size_t>(state));
}

JsonObject to_json(const Status& status) {
  JsonObject object;
  object.add("v", kRecordVersion).add("state", to_string(status.state));
  object.add("code", nullable(status.code)).add("reason", status.reason);
  object.add("step", status.step).add("steps", nullable(status.steps));
  object.add("tokens", status.tokens).add("loss", nullable(status.loss));
  object.add("rank", status.rank).add("host", status.host).add("pid", status.pid);
  object.add("world", status.world).add("attempt", status.attempt);
  object.add("started", status.started).add("updated", utc_seconds());
  object.add("eta_s", nullable(status.eta_s));
  if (status.checkpoint) {
    JsonObject checkpoint;
    checkpoint.add("step", status.checkpoint->step).add("path", status.checkpoint->path);
    object.add("checkpoint", checkpoint.add("time", status.checkpoint->time));
  } else {
    object.add("checkpoint", nullptr);
  }
  return object.add("job", nullable(status.job));
}

namespace {

bool another_rank_ended(const std::string& path, const Status& mine) {
  try {
    const std::string text = InputFile::open(path).text(kMaxStatusBytes);
    const JsonValue value = parse_json(text, path);
    const JsonReader status(value, path);
    return !status.at("code").is_null() && status.at("attempt").integer() == mine.attempt &&
           status.at("rank").integer() != mine.rank;
  } catch (const Error&) {
    return false;  // none there, or a damaged one, which is replaced
  }
}

}  // namespace

void write_status(const std::string& path, const Status& status) {
  if (!another_rank_ended(path, status)) replace_file(path, to_json(status).text() + '\n');
}

StatusFile::StatusFile(const std::string& path, const Status& first, SinkLost on_lost,
                       std::chrono::milliseconds beat)
    : path_(path), on_lost_(std::move(on_lost)), beat_(beat), status_(first) {
  write();
  thread_ = std::thread([this] { run_beats(); });
}

StatusFile::~StatusFile() {
  {
    std::lock_guard<std::mutex> lock(status_mutex_);
    stop_ = true;
  }
  stopping_.notify_one();
  thread_.join();
  write();
}

void StatusFile::update(const std::function<void(Status&)>& change) {
  bool turned = false;
  {
    std::lock_guard<std::mutex> lock(status_mutex_);
    const RunState state = status_.state;
    const std::optional<int> code = status_.code;
    change(status_);
    turned = state != status_.state || code != status_.code;
  }
  if (turned) write();
}

void StatusFile::write() {
  std::string reason;
  {
    std::lock_guard<std::mutex> writing(write_mutex_);
    try {
      std::unique_lock<std::mutex> lock(status_mutex_);
      const Status status = status_;
      lock.unlock();
      write_status(path_, status);
      return;
    } catch (const std::exception& error) {
      if (std::exchange(lost_, true)) return;
      reason = error.what();
    }
  }
  log_warning(reason + ". Training goes on; the status may be old");
  if (on_lost_) on_lost_(path_, reason);
}

void StatusFile::run_beats() {
  std::unique_lock<std::mutex> lock(status_mutex_);
  while (!stopping_.wait_for(lock, beat_, [this] { return stop_; })) {
    lock.unlock();
    write();
    lock.lock();
  }
}

}  // namespace pretrain
