#include "engine/status.h"

namespace braid {

std::string_view status_code_text(StatusCode code) {
  switch (code) {
#define X(name, number, text) \
  case StatusCode::name:      \
    return text;
#include "engine/status_codes.def"
#undef X
  }
  return "unknown code";
}

}  // namespace braid
