#include "core/metrics/event_log.h"

#include "core/metrics/metrics_record.h"

namespace pretrain {

EventLog::EventLog(const std::string& path, EventOrigin origin)
    : origin_(std::move(origin)), lines_(path, nullptr) {}

void EventLog::write(const std::string& event, std::int64_t step, const std::string& reason,
                     const std::vector<std::pair<std::string, JsonScalar>>& more) {
  JsonObject line;
  line.add("v", kRecordVersion).add("t", utc_seconds()).add("attempt", origin_.attempt);
  line.add("event", event).add("rank", origin_.rank).add("host", origin_.host);
  line.add("step", step).add("reason", reason);
  for (const auto& [key, value] : more) line.add(key, value);
  lines_.write(line);
}

}  // namespace pretrain
