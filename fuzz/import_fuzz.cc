// Any bytes as a CSV file, as points in the line protocol and as GraphML, given in blocks of any size: how they are cut must not matter.
#include <string>
#include <vector>

#include "cli/csv_reader.h"
#include "cli/graphml_reader.h"
#include "cli/line_protocol.h"
#include "fuzz/input.h"

using namespace braid;
using namespace braid::cli;

namespace {

class Blocks final : public ByteSource {
 public:
  Blocks(std::string_view bytes, size_t block) : bytes_(bytes), block_(block) {}
  Outcome<std::string_view> read() override {
    const std::string_view out = bytes_.substr(0, block_);
    bytes_.remove_prefix(out.size());
    return out;
  }

 private:
  std::string_view bytes_;
  const size_t block_;
};

std::string csv_text(std::string_view bytes, size_t block) {
  Blocks source(bytes, block);
  CsvReader reader(source, ',');
  CsvRecord record;
  std::string text;
  for (;;) {
    const auto more = reader.next(&record);
    if (!more.ok()) return text + "! " + more.failure().message;
    if (!*more) return text;
    text += std::to_string(record.line);
    for (const CsvField& field : record.fields) (text += field.quoted ? "|q" : "|") += field.text;
    text += '\n';
  }
}

std::string points_text(std::string_view bytes, size_t block) {
  Blocks source(bytes, block);
  LineProtocolReader reader(source);
  LinePoint point;
  std::string text;
  for (;;) {
    const auto more = reader.next(&point);
    if (!more.ok()) return text + "! " + more.failure().message;
    if (!*more) return text;
    text += std::to_string(reader.line()) + point.measurement + point.time.value_or("");
    for (const auto& [name, value] : point.tags) text += "," + name + "=" + value;
    for (const LineField& field : point.fields) text += " " + field.name + "=" + field.text + std::to_string(field.integer);
  }
}

std::string graph_text(std::string_view bytes, size_t block) {
  Blocks source(bytes, block);
  GraphmlReader reader(source);
  std::string text;
  const Done done = reader.read([&](const GraphmlItem& item) -> Done {
    text += item.id + item.source + item.target + item.type + item.properties;
    return std::nullopt;
  });
  // Why it is no XML depends on how much the parser has seen.
  return done ? text + "!" : text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t kind = input.byte();
  const size_t block = 1 + input.byte();
  const std::string_view bytes = input.rest();
  constexpr std::string (*kReaders[])(std::string_view, size_t) = {csv_text, points_text, graph_text};
  const auto reader = kReaders[kind % 3];
  must(reader(bytes, block) == reader(bytes, bytes.size() + 1));
  return 0;
}
