#pragma once

#include <cstdint>
#include <string>

#include "core/base/json/json_writer.h"
#include "core/metrics/sink.h"

namespace pretrain {

/// A JSON-lines file that grows by one write(2) a line. A sink: see Sink for failures. Thread-safe.
class JsonlWriter {
 public:
  /// Throws UnsafeFile and nothing else.
  JsonlWriter(const std::string& path, SinkLost on_lost);

  void write(const JsonObject& line) { sink_.append(line.text() + '\n'); }
  void sync() { sink_.sync(); }
  bool lost() const { return sink_.lost(); }

 private:
  Sink sink_;
};

/// Cuts a JSON-lines file back to a resume point: keeps, unchanged and in order, the lines that
/// are JSON objects with a number `step` <= last_step; a torn last line and damaged lines go. The
/// file is replaced at once, and is left alone if nothing goes; a missing file is no fault. Memory
/// does not grow with the file: lines over 1 MiB count as damaged. Call it before a writer opens
/// the file. False, after a warning, if it could not be done.
bool cut_back(const std::string& path, std::int64_t last_step);

}  // namespace pretrain
