#pragma once

#include <string>

namespace pretrain {

/// The time of day, UTC, as "2026-11-23T01:04:49Z". For people and records: decisions are taken by
/// monotonic clocks only.
std::string utc_now();

}  // namespace pretrain
