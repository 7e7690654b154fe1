// What the process itself holds, whoever took it, as the kernel counts it.
#pragma once

#include <cstdint>

namespace braid {

/// Memory of the process that is no file's: heap and stacks, also what the allocator keeps free. 0: the kernel does not tell. Some microseconds.
uint64_t anonymous_bytes();

/// Gives the host what lies free in the allocator's arenas, where threads that have others do not find it. Some milliseconds.
void give_back_to_host();

/// From now on the allocator keeps a megabyte free at the end of each arena at most, and larger blocks go back to the host when they are freed. Its
/// usual limits grow with what is freed, to 64 MB for each arena, and `give_back_to_host` does not reach that. For the whole process, once; nothing
/// where the environment sets these limits.
void keep_little_free();

}  // namespace braid
