#include "cli/csv_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace braid::cli;

namespace {

/// Bytes in blocks of a given size, so that every border between two blocks is met.
class BlockSource final : public ByteSource {
 public:
  BlockSource(std::string text, size_t block_bytes)
      : text_(std::move(text)), block_bytes_(block_bytes) {}
  Outcome<std::string_view> read() override {
    const std::string_view block = std::string_view(text_).substr(at_, block_bytes_);
    at_ += block.size();
    return block;
  }

 private:
  std::string text_;
  size_t block_bytes_;
  size_t at_ = 0;
};

struct ReadFile {
  std::vector<std::vector<std::string>> rows;  ///< NULL fields as "<null>"
  std::vector<int64_t> lines;
  std::string error;
};

ReadFile read_all(const std::string& text, size_t block_bytes = 4096, char separator = ',') {
  BlockSource source(text, block_bytes);
  CsvReader reader(source, separator);
  ReadFile file;
  CsvRecord record;
  for (;;) {
    Outcome<bool> more = reader.next(&record);
    if (!more.ok()) {
      file.error = more.failure().message;
      return file;
    }
    if (!*more) return file;
    file.lines.push_back(record.line);
    std::vector<std::string>& row = file.rows.emplace_back();
    for (const CsvField& field : record.fields) {
      row.push_back(field.is_null() ? "<null>" : std::string(field.text));
    }
  }
}

using Rows = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE(
    "quotes, doubled quotes, separators and newlines inside quotes are text, at every block size") {
  const std::string text = "a,\"b,c\",\"say \"\"hi\"\"\"\r\n\"two\nlines\",,\"\"\n";
  const Rows expected = {{"a", "b,c", "say \"hi\""}, {"two\nlines", "<null>", ""}};
  for (size_t block_bytes = 1; block_bytes <= text.size() + 1; ++block_bytes) {
    CAPTURE(block_bytes);
    CHECK(read_all(text, block_bytes).rows == expected);
  }
}

TEST_CASE("a record knows the line it begins on, after records of several lines and empty ones") {
  const ReadFile file = read_all("h\n\"x\ny\"\n\n\r\nlast");
  CHECK(file.rows == Rows{{"h"}, {"x\ny"}, {"last"}});
  CHECK(file.lines == std::vector<int64_t>{1, 2, 6});
}

TEST_CASE("a byte order mark is not part of the first field") {
  CHECK(read_all("\xef\xbb\xbfid,name\n").rows == Rows{{"id", "name"}});
}

TEST_CASE("the last line needs no newline, and an empty file has no records") {
  CHECK(read_all("a,b").rows == Rows{{"a", "b"}});
  CHECK(read_all("a,").rows == Rows{{"a", "<null>"}});
  CHECK(read_all("").rows.empty());
  CHECK(read_all("\n\n").rows.empty());
}

TEST_CASE("a quote that is never closed is reported at the line where it opens") {
  const ReadFile file = read_all("a\nb\n\"c\nd\ne\n");
  CHECK(file.rows.size() == 2);
  CHECK(file.error == "line 3: a quote is opened here and never closed");
}

TEST_CASE("text after a closing quote is refused with its line") {
  CHECK(read_all("a\n\"b\"c\n").error.starts_with("line 2: text after a closing quote"));
}

TEST_CASE("a lone carriage return is refused, since it ends lines in some programs only") {
  CHECK(read_all("a\rb\n").error.starts_with("line 1: a carriage return"));
}

TEST_CASE("text that is not UTF-8, or has NUL bytes outside quotes, is refused with its line") {
  CHECK(read_all("a\nm\xfcnchen\n").error.starts_with("line 2: the text is not UTF-8"));
  CHECK(read_all(std::string("a\n\0b\n", 5)).error.starts_with("line 2: a NUL byte outside quotes"));
  CHECK(read_all(std::string("a\n\"\0b\"\n", 7)).error.empty());
  CHECK(read_all("\xc3,\xa9\n").error.starts_with("line 1: the text is not UTF-8"));
}

TEST_CASE("a compressed file is recognised, with the way to unpack it") {
  CHECK(read_all("\x1f\x8b\x08").error.find("zcat") != std::string::npos);
}

TEST_CASE("another separator can be chosen") {
  CHECK(read_all("a;b,c\n", 4096, ';').rows == Rows{{"a", "b,c"}});
}
