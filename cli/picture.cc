#include "cli/picture.h"

#include "cli/terminal.h"

namespace braid::cli {

namespace {

PicturePoint mix(PicturePoint a, PicturePoint b, double t) {
  return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
}

/// De Casteljau's: the part up to `t`, and the part from it.
std::pair<PictureCurve, PictureCurve> split(const PictureCurve& curve, double t) {
  const PicturePoint a = mix(curve.from, curve.out, t), b = mix(curve.out, curve.in, t),
                     c = mix(curve.in, curve.to, t);
  const PicturePoint ab = mix(a, b, t), bc = mix(b, c, t), middle = mix(ab, bc, t);
  return {{curve.from, a, ab, middle}, {middle, bc, c, curve.to}};
}

/// In parts of the font's size, of DejaVu Sans, which is wider than its fellows.
double character_width(const Utf8Character& character) {
  constexpr std::string_view kNarrow = "iljI.,:;'|!()[]{}ftr/\\ -`";
  constexpr std::string_view kWide = "mwMW@%";
  if (character.code_point < 0x80) {
    const char c = static_cast<char>(character.code_point);
    if (kNarrow.find(c) != std::string_view::npos) return 0.42;
    if (kWide.find(c) != std::string_view::npos) return 0.98;
    return c >= 'A' && c <= 'Z' ? 0.74 : 0.64;
  }
  return character.code_point < 0x1100 ? 0.7 : 1.05;
}

}  // namespace

PicturePoint PictureCurve::at(double t) const { return split(*this, t).second.from; }

PictureCurve PictureCurve::between(double first, double last) const {
  const PictureCurve head = split(*this, last).first;
  return last > 0 ? split(head, first / last).second : head;
}

double text_width(std::string_view text, double font_size) {
  double width = 0;
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    width += character_width(character);
    text.remove_prefix(static_cast<size_t>(character.size_bytes));
  }
  return width * font_size;
}

std::string shortened(std::string_view text, int columns_max) {
  std::string kept;
  int columns = 0;
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    const std::string_view bytes = text.substr(0, static_cast<size_t>(character.size_bytes));
    text.remove_prefix(bytes.size());
    const bool control = character.code_point < 0x20 || character.code_point == 0x7f;
    columns += control ? 1 : display_width(bytes);
    if (columns > columns_max - (text.empty() ? 0 : 1)) return kept + "…";
    kept += control           ? std::string_view(" ")
            : character.valid ? bytes
                              : std::string_view("\xef\xbf\xbd");
  }
  return kept;
}

}  // namespace braid::cli
