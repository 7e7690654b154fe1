#include "bench/timeseries_queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <numeric>

namespace bench {
namespace {

constexpr int kChoices = 10;

/// "2016-01-01 00:00:00".
std::string utc(int64_t us) {
  const std::time_t seconds = us / kSecondUs;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[sizeof("2016-01-01 00:00:00")];
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts));
}

std::string metric_list(const char* function, size_t count) {
  std::string list;
  for (size_t i = 0; i < count; ++i) list += fmt::format(", {}({})", function, kMetrics[i]);
  return list;
}

std::string newest_by_join() {
  return fmt::format("SELECT {} FROM cpu c JOIN (SELECT hostname, max(time) AS newest FROM cpu GROUP BY hostname) m "
                     "ON c.hostname = m.hostname AND c.time = m.newest",
                     row_columns("c."));
}

/// Random hosts and times, the same for every dialect.
class Choice {
 public:
  Choice(const CpuShape& shape, const SeriesDialect& dialect) : shape_(shape), dialect_(dialect), random_(123) {}

  /// A condition that holds for `count` hosts; 0: for all.
  std::string hosts(uint32_t count) {
    if (count == 0) return dialect_.every_host;
    std::vector<uint32_t> all(shape_.hosts);
    std::iota(all.begin(), all.end(), 0);
    std::string list;
    for (uint32_t i = 0; i < std::min(count, shape_.hosts); ++i) {
      std::swap(all[i], all[i + random_below(random_, shape_.hosts - i)]);
      list += fmt::format("{}'{}'", i > 0 ? ", " : "", host_name(all[i]));
    }
    return fmt::format("hostname IN ({}) AND ", list);
  }

  /// A condition that holds within so many hours.
  std::string hours(int64_t count) {
    const int64_t length = count * kHourUs;
    const int64_t start = shape_.start_us() + second_below(shape_.limit_us() - shape_.start_us() - length);
    return fmt::format("time >= {} AND time < {}", dialect_.time(start), dialect_.time(start + length));
  }

  /// An instant that has at least an hour before it.
  std::string instant() {
    return dialect_.time(shape_.start_us() + kHourUs + second_below(shape_.limit_us() - shape_.start_us() - kHourUs));
  }

 private:
  int64_t second_below(int64_t us) { return static_cast<int64_t>(random_below(random_, static_cast<uint64_t>(us / kSecondUs))) * kSecondUs; }

  const CpuShape shape_;
  const SeriesDialect& dialect_;
  Random random_;
};

struct GroupedRow {
  const char* name;
  const char* function;
  size_t metrics;
  uint32_t hosts;  ///< 0: all, and a row for each
  int64_t hours;
  const char* bucket;
};
constexpr GroupedRow kGrouped[] = {
    {"single-groupby-1-1-1", "max", 1, 1, 1, "minute"},  {"single-groupby-1-1-12", "max", 1, 1, 12, "minute"},
    {"single-groupby-1-8-1", "max", 1, 8, 1, "minute"},  {"single-groupby-5-1-1", "max", 5, 1, 1, "minute"},
    {"single-groupby-5-1-12", "max", 5, 1, 12, "minute"}, {"single-groupby-5-8-1", "max", 5, 8, 1, "minute"},
    {"cpu-max-all-1", "max", 10, 1, 8, "hour"},          {"cpu-max-all-8", "max", 10, 8, 8, "hour"},
    {"cpu-max-all-32-24", "max", 10, 32, 24, "hour"},    {"double-groupby-1", "avg", 1, 0, 12, "hour"},
    {"double-groupby-5", "avg", 5, 0, 12, "hour"},       {"double-groupby-all", "avg", 10, 0, 12, "hour"},
};

std::string grouped_text(const GroupedRow& row, Choice& choice, const SeriesDialect& dialect) {
  const std::string hosts = choice.hosts(row.hosts);
  return fmt::format("SELECT {} AS b{}{} FROM cpu WHERE {}{} {}", dialect.bucket(row.bucket), row.hosts == 0 ? ", hostname" : "",
                     metric_list(row.function, row.metrics), hosts, choice.hours(row.hours),
                     row.hosts == 0 ? "GROUP BY 1, 2 ORDER BY 1, 2" : "GROUP BY 1 ORDER BY 1");
}

std::string high_cpu(uint32_t hosts, Choice& choice) {
  const std::string where = choice.hosts(hosts);
  return fmt::format("SELECT {} FROM cpu WHERE {}usage_user > 90.0 AND {}", row_columns(), where, choice.hours(12));
}

}  // namespace

const SeriesDialect kBraidDialect = {
    [](int64_t us) { return fmt::format("'{}+00'", utc(us)); },
    [](const char* unit) { return fmt::format("time_bucket('1 {}', time)", unit); },
    "",
    [] { return fmt::format("SELECT {} FROM cpu WHERE latest = 1", row_columns()); },
};

const SeriesDialect kDuckdbDialect = {
    [](int64_t us) { return fmt::format("TIMESTAMP '{}'", utc(us)); },
    [](const char* unit) { return fmt::format("date_trunc('{}', time)", unit); },
    "",
    newest_by_join,
};

const SeriesDialect kSqliteDialect = {
    [](int64_t us) { return std::to_string(us); },
    [](const char* unit) {
      const int64_t width = unit[0] == 'h' ? kHourUs : 60 * kSecondUs;
      return fmt::format("time / {0} * {0}", width);
    },
    "hostname IN (SELECT hostname FROM hosts) AND ",
    [] {
      return fmt::format("SELECT {} FROM hosts h JOIN cpu c ON c.hostname = h.hostname "
                         "AND c.time = (SELECT max(time) FROM cpu x WHERE x.hostname = h.hostname)",
                         row_columns("c."));
    },
};

const SeriesDialect kPostgresDialect = {
    [](int64_t us) { return fmt::format("'{}+00'::timestamptz", utc(us)); },
    [](const char* unit) { return fmt::format("date_trunc('{}', time)", unit); },
    "",
    [] {
      return fmt::format("SELECT {} FROM hosts h CROSS JOIN LATERAL "
                         "(SELECT * FROM cpu c WHERE c.hostname = h.hostname ORDER BY time DESC LIMIT 1) b",
                         row_columns("b."));
    },
};

std::string row_columns(const char* table) {
  std::string list = fmt::format("{0}time, {0}hostname", table);
  for (const char* metric : kMetrics) list += fmt::format(", {}{}", table, metric);
  return list;
}

std::vector<SeriesQuery> series_queries(const CpuShape& shape, const SeriesDialect& dialect) {
  Choice choice(shape, dialect);
  std::vector<SeriesQuery> queries;
  const auto add = [&](const char* name, bool ordered, bool wide, const std::function<std::string()>& text) {
    SeriesQuery query{name, ordered, wide, {}};
    for (int i = 0; i < kChoices; ++i) query.texts.push_back(text());
    queries.push_back(std::move(query));
  };
  for (const GroupedRow& row : kGrouped) add(row.name, true, row.hosts == 0, [&] { return grouped_text(row, choice, dialect); });
  add("groupby-orderby-limit", true, false, [&] {
    return fmt::format("SELECT {} AS b, max(usage_user) FROM cpu WHERE time < {} GROUP BY 1 ORDER BY 1 DESC LIMIT 5", dialect.bucket("minute"),
                       choice.instant());
  });
  add("high-cpu-all", false, true, [&] { return high_cpu(0, choice); });
  add("high-cpu-1", false, true, [&] { return high_cpu(1, choice); });
  add("lastpoint", false, false, [&] { return dialect.last_point(); });
  add("sum-all", true, false, [] { return std::string("SELECT sum(usage_system) FROM cpu"); });
  const auto hourly = [&](const char* where) {
    return fmt::format("SELECT {} AS b, avg(usage_user) FROM cpu{} GROUP BY 1 ORDER BY 1", dialect.bucket("hour"), where);
  };
  add("hourly-avg-all", true, false, [&] { return hourly(""); });
  add("hourly-avg-filtered", true, false, [&] { return hourly(" WHERE usage_user > 50.0"); });
  return queries;
}

}  // namespace bench
