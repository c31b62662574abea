#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/metrics/sink.h"

namespace pretrain {

/// CRC-32C (Castagnoli, RFC 3720 B.4): crc32c("123456789") == 0xE3069283.
std::uint32_t crc32c(std::string_view bytes);

/// A file of scalars for TensorBoard: TFRecord frames (length, masked CRC-32C, payload, masked
/// CRC-32C) around protobuf messages `tensorboard.Event`. Encoded here, so that no protobuf library
/// gets into the process. A sink: see Sink for failures; each event is one write(2). Thread-safe.
class EventWriter {
 public:
  /// Makes FOLDER/events.out.tfevents.SEC.HOST.PID.N, N being the number of older event files.
  /// SEC is the time, moved past that of all older files, because TensorBoard reads files in the
  /// order of their names. `resumed_at`: the step a checkpoint was loaded from; TensorBoard then
  /// forgets what older files say of later steps. Throws UnsafeFile and nothing else.
  EventWriter(const std::string& folder, const std::string& host,
              std::optional<std::int64_t> resumed_at, SinkLost on_lost);

  /// One event with a value for each tag. `t` in seconds since 1970 UTC.
  void write(double t, std::int64_t step,
             const std::vector<std::pair<std::string, double>>& scalars);
  bool lost() const { return sink_.lost(); }

 private:
  void append_record(std::string_view payload);
  Sink sink_;
};

}  // namespace pretrain
