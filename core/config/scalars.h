#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pretrain {

/// The outcome of reading one scalar. Without a value, `fault` says what is wrong as a sentence
/// about the text ("010 has a leading zero. Write 10"), or is empty where "expected ..., got ..."
/// says it all; `advice` is a sentence to end that with, or empty.
template <class T>
struct Parsed {
  std::optional<T> value = {};
  std::string fault = {};
  std::string advice = {};
};

// The scalar grammar of the configuration language. Pure and independent of the locale; what does
// not fit the type is refused, never rounded or clamped.

/// `true` or `false`.
Parsed<bool> parse_bool(std::string_view text);
/// Decimal, no leading zero, no `_`, no `+`.
Parsed<std::int64_t> parse_int(std::string_view text);
/// parse_int with an optional k M G T (powers of 1000) or Ki Mi Gi (powers of 1024).
Parsed<std::int64_t> parse_count(std::string_view text);
/// parse_int with a unit: B kB MB GB (powers of 1000) or KiB MiB GiB (powers of 1024).
Parsed<std::int64_t> parse_bytes(std::string_view text);
/// Decimal with optional fraction and exponent: 1, 0.5, 1e-4, 1.0e-3. No nan, no inf.
Parsed<double> parse_float(std::string_view text);
/// Seconds of whole numbers with units in falling order, each at most once: 90s 15m 2h 1d 1h30m.
/// A single number may have a fraction: 0.5s.
Parsed<double> parse_time(std::string_view text);

// The canonical text of a value, which the parser of the same name reads back to the same value.

/// Shortest text that gives `value` again, always with a point or an exponent: "0.1", "1.0",
/// "1e-8".
std::string format_float(double value);
/// In the largest of GiB MiB KiB B that gives a whole number: "25MiB".
std::string bytes_text(std::int64_t bytes);
/// "600s".
std::string format_time(double seconds);

}  // namespace pretrain
