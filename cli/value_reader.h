// Texts as values: none when the text is not one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid::cli {

/// A decimal integer of 64 bits, with an optional sign.
std::optional<int64_t> read_integer(std::string_view text);

/// A decimal number, "nan" or "inf". None as well when it is too large for a double.
std::optional<double> read_double(std::string_view text);

/// true, false, t, f, 1, 0, whatever the case.
std::optional<bool> read_boolean(std::string_view text);

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };

/// s, ms, us or ns.
std::optional<TimeUnit> read_time_unit(std::string_view text);

/// An ISO 8601 or PostgreSQL time, "2024-05-01", "2024-05-01 12:00",
/// "2024-05-01T12:00:00.25+02:00", in UTC when it names no zone, as microseconds since
/// 1970-01-01T00:00:00Z. What is finer than a microsecond is cut.
std::optional<int64_t> read_calendar_time(std::string_view text);

/// A number since the epoch, with or without a fraction, as microseconds.
std::optional<int64_t> read_epoch_time(std::string_view text, TimeUnit unit);

/// Microseconds as "YYYY-MM-DD HH:MM:SS[.ffffff]", the form of times in Braid's SQL.
std::string time_text(int64_t microseconds);

}  // namespace braid::cli
