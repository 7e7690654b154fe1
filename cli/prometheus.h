// The figures of a database in the text format that Prometheus scrapes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace braid::cli {

/// One metric: its HELP, TYPE and value, as lines. `unit` is that of braid_stats. The name begins with
/// braid_ and ends with its unit in Prometheus' words, that of a counter with _total.
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
std::string prometheus_metric(std::string_view name, std::string_view unit, int64_t value);

}  // namespace braid::cli
