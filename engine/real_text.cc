#include "engine/real_text.h"

#include <sqlite3.h>

namespace braid {

std::string real_text(double value) {
  char text[64];  // 15 digits, sign, point and exponent
  return sqlite3_snprintf(sizeof text, text, "%!.15g", value);
}

}  // namespace braid
