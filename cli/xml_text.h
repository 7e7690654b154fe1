// Text in XML.
#pragma once

#include <string>
#include <string_view>

namespace braid::cli {

/// Whether XML 1.0 has a way to write all characters of the text: it has none for most control
/// characters, U+FFFE and U+FFFF.
bool fits_xml(std::string_view text);

/// Appends text so that it reads back the same between tags and in quoted attributes. What XML
/// cannot write becomes U+FFFD.
void append_xml(std::string* xml, std::string_view text);

/// The text escaped.
std::string xml_text(std::string_view text);

}  // namespace braid::cli
