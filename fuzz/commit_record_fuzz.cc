// Any bytes as a record of the commit log, and as the points in one. What can be read is written and read again: it must be the same.
#include "engine/commit_record.h"
#include "fuzz/input.h"
#include "timeseries/run_codec.h"
#include "timeseries/tag_codec.h"

using namespace braid;

namespace {

void read_points(std::string_view bytes) {
  size_t texts = 0;
  (void)read_runs(bytes, [&](const SeriesRun& run) {
    for (size_t row = 0; row < run.times.size(); ++row)
      for (size_t i = 0; i < run.columns.size(); ++i) texts += run.columns[i].value(row).text.size();
    return Status();
  });
  must(texts != SIZE_MAX);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t kind = input.byte();
  const std::string_view bytes = input.rest();
  if (kind % 4 == 1) {
    read_points(bytes);
  } else if (kind % 4 == 2) {
    (void)decode_tags(bytes);
  } else {
    const auto record = decode_commit_record(bytes);
    if (!record.ok()) return 0;
    read_points(record->series.runs);
    const std::string written = encode_commit_record(*record);
    const auto again = decode_commit_record(written);
    must(again.ok() && encode_commit_record(*again) == written);
  }
  return 0;
}
