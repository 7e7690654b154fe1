#include "cli/xml_text.h"

#include <doctest/doctest.h>

using namespace braid::cli;

TEST_CASE("markup and what readers of XML would change is escaped") {
  CHECK(xml_text("a <b> & \"c\"") == "a &lt;b&gt; &amp; &quot;c&quot;");
  CHECK(xml_text("1\t2\n3\r4") == "1&#9;2&#10;3&#13;4");
  CHECK(xml_text("ünï 𝄞") == "ünï 𝄞");
}

TEST_CASE("what XML has no way to write is known, and replaced where it must be written") {
  CHECK(fits_xml("a\t\n\r ünï 𝄞"));
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {"\x01"sv, "a\0b"sv, "\x1f"sv, "\xef\xbf\xbe"sv, "\xef\xbf\xbf"sv, "\xff"sv, "\xc3"sv}) {
    CHECK(!fits_xml(text));
    CHECK(fits_xml(xml_text(text)));
  }
  CHECK(xml_text("a\x01"
                 "b") ==
        "a\xef\xbf\xbd"
        "b");
}
