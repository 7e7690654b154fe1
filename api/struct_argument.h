// Structs of the caller's, which may be of an older or a newer header.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "api/braid.h"
#include "engine/result.h"

namespace braid {

/// How large a struct was when it was first released: callers that were compiled then pass that. Fields that were added since are at the end, and 0 for them.
template <typename Struct>
inline constexpr size_t kFirstSize = sizeof(Struct);
template <>
inline constexpr size_t kFirstSize<braid_restore_options> = offsetof(braid_restore_options, archive);

/// What a caller gave, or what stands for NULL. kInvalidArgument when it is smaller than any release's.
template <typename Struct>
Result<Struct> struct_argument(const Struct* given, std::string_view name) {
  Struct known{};
  if (given == nullptr) return known;
  if (given->size_bytes < kFirstSize<Struct>)
    return Status(StatusCode::kInvalidArgument, std::string(name) + ": size_bytes " + std::to_string(given->size_bytes) + " is not the size of the struct, " +
                                                    std::to_string(sizeof(Struct)));
  // Safety: the structs are plain C, and the caller says that so many bytes are there.
  std::memcpy(&known, given, std::min(given->size_bytes, sizeof known));
  return known;
}

/// A struct that is filled in: as much of it as the caller knows. Pre: the check below was passed.
template <typename Struct>
void fill_struct(Struct* out, Struct value) {
  value.size_bytes = std::min(out->size_bytes, sizeof value);
  // Safety: as above.
  std::memcpy(out, &value, value.size_bytes);
}

template <typename Struct>
Status check_struct(const Struct* out, std::string_view name) {
  return out == nullptr ? Status() : struct_argument(out, name).status();
}

}  // namespace braid
