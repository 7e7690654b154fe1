// What the engine does with the time series' store, in memory: transactions, a log, checkpoints,
// reopening.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/commit_record.h"
#include "engine/env.h"
#include "tests/support/temp_dir.h"
#include "timeseries/series_overlay.h"
#include "timeseries/series_scan.h"
#include "timeseries/series_store.h"
#include "timeseries/series_writer.h"
#include "timeseries/tag_codec.h"

namespace braid {

inline const DatabaseIdentity kTestIdentity{"01234567-89ab-cdef-0123-456789abcdef", 7};
inline constexpr int64_t kTestInterval = 1000;

inline FieldValue real_value(double value) { return {.is_null = false, .real = value}; }
inline FieldValue integer_value(int64_t value) { return {.is_null = false, .integer = value}; }
inline FieldValue text_value(std::string_view value) { return {.is_null = false, .text = value}; }

/// A point as a scan shows it; fields as text, so that points compare and print.
struct SeenPoint {
  uint64_t series;
  int64_t time;
  std::vector<std::string> fields;
  bool operator==(const SeenPoint&) const = default;
};

inline std::string shown(const FieldValue& value, FieldType type) {
  if (value.is_null) return "null";
  switch (type) {
    case FieldType::kDouble:
      return std::to_string(value.real);
    case FieldType::kInt64:
    case FieldType::kBool:
      return std::to_string(value.integer);
    case FieldType::kText:
    case FieldType::kJson:
      return std::string(value.text);
  }
  return "";
}

inline std::vector<SeenPoint> read_all(SeriesScan& scan, const HypertableDefinition& table) {
  std::vector<SeenPoint> out;
  while (true) {
    const auto more = scan.next();
    REQUIRE_MESSAGE(more.ok(), more.status().message());
    if (!*more) return out;
    SeenPoint& point = out.emplace_back(SeenPoint{scan.series().value(), scan.time().value(), {}});
    for (size_t i = 0; i < table.fields.size(); ++i) {
      point.fields.push_back(shown(scan.field(i), table.fields[i].type));
    }
  }
}

class SeriesHarness {
 public:
  /// A write transaction: commit or drop it.
  struct Transaction {
    CatalogWriter catalog;
    std::unique_ptr<StoreWriter> store_writer;
    SeriesWriter& writer() { return static_cast<SeriesWriter&>(*store_writer); }
  };

  explicit SeriesHarness(SeriesStoreOptions options = {.relog_rows_max = 0},
                         FileHook* hook = nullptr)
      : env_(hook), options_(options), state_(std::make_shared<CatalogState>()) {
    reopen();
  }

  const HypertableDefinition& create_table(ConflictPolicy policy = ConflictPolicy::kReplace) {
    HypertableDefinition table;
    table.name = "t" + std::to_string(counters_.next_object);
    table.time_column = "time";
    table.tags = {"host"};
    table.fields = {
        {"value", FieldType::kDouble}, {"count", FieldType::kInt64}, {"note", FieldType::kText}};
    table.on_conflict = policy;
    table.chunk_interval_us = kTestInterval;
    auto transaction = begin();
    const HypertableId id = transaction->catalog.add_hypertable(table);
    commit(*transaction);
    return state_->hypertables.at(id);
  }

  std::unique_ptr<Transaction> begin() {
    auto out = std::unique_ptr<Transaction>(new Transaction{CatalogWriter(catalog_, state_, counters_), nullptr});
    out->store_writer = store_->begin(view_, out->catalog);
    return out;
  }

  void commit(Transaction& transaction) {
    CommitRecord record;
    transaction.writer().take_changes(record);
    make_durable(record, transaction.catalog);
    REQUIRE(store_->publish(transaction.writer(), lsn_).ok());
    renew_view();
  }

  /// Adds one point in a transaction of its own.
  void add(const HypertableDefinition& table, const std::string& host, int64_t time, double value) {
    auto transaction = begin();
    add(*transaction, table, host, time, value);
    commit(*transaction);
  }
  AppendOutcome add(Transaction& transaction, const HypertableDefinition& table,
                    const std::string& host, int64_t time, double value) {
    const auto series = transaction.writer().series(table, {host});
    REQUIRE(series.ok());
    const std::string note = "note " + std::to_string(time % 7);
    const FieldValue fields[] = {
        real_value(value), time % 5 == 0 ? FieldValue{} : integer_value(time), text_value(note)};
    const auto outcome = transaction.writer().append(table, *series, Timestamp(time), fields);
    REQUIRE_MESSAGE(outcome.ok(), outcome.status().message());
    return *outcome;
  }

  /// A checkpoint whose installing transaction commits or is given up. Returns whether the files
  /// could be written.
  bool checkpoint(bool commits = true) {
    begin_checkpoint();
    return finish_checkpoint(commits);
  }
  void begin_checkpoint() { REQUIRE(store_->checkpoint_begin(lsn_).ok()); }
  bool finish_checkpoint(bool commits = true) {
    if (!store_->checkpoint_write().ok()) {
      store_->checkpoint_end(false);
      return false;
    }
    auto transaction = begin();
    CommitRecord record;
    REQUIRE(store_->checkpoint_install(transaction->catalog, record).ok());
    if (commits) {
      make_durable(record, transaction->catalog);
      REQUIRE(store_->publish(transaction->writer(), lsn_).ok());
    }
    store_->checkpoint_end(commits);
    if (commits) trim();
    renew_view();
    return true;
  }

  /// Rewrites chunks until nothing is to do, or what is worth it; each installing transaction commits or
  /// is given up. `meanwhile` runs between writing and installing. Returns how many were made.
  size_t compact(std::optional<HypertableId> table, bool commits = true,
                 const std::function<void()>& meanwhile = {}) {
    for (size_t count = 0;; ++count) {
      const auto rewrite = store_->begin_rewrite({.table = table});
      if (rewrite == nullptr) return count;
      for (bool more = true; more;) {
        const auto wrote = rewrite->write_some();
        REQUIRE_MESSAGE(wrote.ok(), wrote.status().message());
        more = *wrote;
      }
      if (meanwhile) meanwhile();
      auto transaction = begin();
      const bool installed = commits && rewrite->install(transaction->catalog);
      if (installed) {
        CommitRecord record;
        make_durable(record, transaction->catalog);
        renew_view();
      }
      rewrite->end(installed);
      if (!installed) return count;
    }
  }

  /// Closes without a checkpoint and opens again, replaying the log.
  void reopen() {
    view_.reset();
    store_.reset();
    auto store = open_series_store(env_, catalog_, *state_, chunks_path(), identity_, options_);
    REQUIRE_MESSAGE(store.ok(), store.status().message());
    store_ = store.take();
    for (int pass = 0; pass < 2; ++pass) {  // twice changes nothing
      for (const auto& [lsn, bytes] : log_) {
        const auto record = decode_commit_record(bytes);
        REQUIRE(record.ok());
        if (lsn > state_->series_watermark) REQUIRE(store_->replay(*record, lsn).ok());
      }
    }
    renew_view();
  }

  SeriesScan scan(const HypertableDefinition& table, SeriesScanOptions options = {}) const {
    return SeriesScan(view_, nullptr, table, std::move(options));
  }
  std::vector<SeenPoint> points(const HypertableDefinition& table,
                                SeriesScanOptions options = {}) const {
    SeriesScan scanned = scan(table, std::move(options));
    return read_all(scanned, table);
  }
  std::vector<std::string> problems() const {
    std::vector<std::string> out;
    REQUIRE(store_->check(*view_, out).ok());
    return out;
  }
  int64_t figure(const std::string& name) const {
    for (const StoreFigure& figure : store_->figures()) {
      if (figure.name == name) return figure.value;
    }
    FAIL("no figure " << name);
    return 0;
  }

  Store& store() { return *store_; }
  Env& env() { return env_; }
  Lsn lsn() const { return lsn_; }
  const CatalogState& state() const { return *state_; }
  std::shared_ptr<const StoreView> view() const { return view_; }
  std::string chunks_path() const { return directory_ / "chunks"; }
  void set_identity(DatabaseIdentity identity) { identity_ = std::move(identity); }

 private:
  void make_durable(const CommitRecord& record, CatalogWriter& catalog) {
    lsn_ = lsn_.next();
    log_.emplace_back(lsn_, encode_commit_record(record));
    for (const CatalogWriter::Change& change : catalog.changes()) {
      if (change.kind == CatalogWriter::Kind::kSeries)
        catalog_.add_series(HypertableId(static_cast<uint32_t>(change.owner)), SeriesId(change.id),
                            change.text);
    }
    state_ = catalog.shared_state();
    counters_ = catalog.counters();
  }
  void trim() {
    const Lsn marker = store_->durable_marker();
    std::erase_if(log_, [&](const auto& entry) { return entry.first <= marker; });
  }
  void renew_view() {
    auto view = store_->view(state_);
    REQUIRE(view.ok());
    view_ = *view;
  }

  TempDir directory_;
  Env env_;
  SeriesStoreOptions options_;
  DatabaseIdentity identity_ = kTestIdentity;
  Catalog catalog_;
  std::shared_ptr<const CatalogState> state_;
  CatalogCounters counters_;
  Lsn lsn_;
  std::vector<std::pair<Lsn, std::string>> log_;
  std::unique_ptr<Store> store_;
  std::shared_ptr<const StoreView> view_;
};

}  // namespace braid
