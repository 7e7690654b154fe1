// The properties of a RocksDB table file, checked before RocksDB reads them.
//
// RocksDB 7.8 parses this one block before it compares its checksum, because tools may have changed a number in it. A damaged one then fails an
// assertion, and the process ends.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/result.h"

namespace braid {

/// `read` gives `size` bytes from `offset`, which lie in the file. kCorrupt when the properties have another checksum; ok where they are not found:
/// the checksums on the way to them RocksDB compares itself. Only other errors of `read` are answered.
Status check_table_properties(uint64_t file_bytes, const std::function<Result<std::string>(uint64_t offset, size_t size)>& read);

}  // namespace braid
