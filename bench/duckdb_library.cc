#include "bench/duckdb_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "bench/harness.h"

namespace bench {
namespace {

template <typename Function>
void find(void* library, const char* name, Function*& function) {
  void* const symbol = dlsym(library, fmt::format("duckdb_{}", name).c_str());
  if (symbol == nullptr) fail(fmt::format("duckdb: {}", dlerror()));
  // Safety: POSIX lets the address of a function be kept in a void*, and the types are those of duckdb.h.
  function = reinterpret_cast<Function*>(symbol);
}

}  // namespace

DuckdbLibrary::DuckdbLibrary(const std::string& path) {
  // It stays open until the process ends.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail(fmt::format("duckdb: {}", dlerror()));
#define BENCH_FIND(name) find(library, #name, name)
  BENCH_FIND(open);
  BENCH_FIND(close);
  BENCH_FIND(connect);
  BENCH_FIND(disconnect);
  BENCH_FIND(query);
  BENCH_FIND(destroy_result);
  BENCH_FIND(result_error);
  BENCH_FIND(column_count);
  BENCH_FIND(column_type);
  BENCH_FIND(fetch_chunk);
  BENCH_FIND(destroy_data_chunk);
  BENCH_FIND(data_chunk_get_size);
  BENCH_FIND(data_chunk_get_vector);
  BENCH_FIND(vector_get_data);
  BENCH_FIND(vector_get_validity);
  BENCH_FIND(vector_assign_string_element_len);
  BENCH_FIND(appender_create);
  BENCH_FIND(appender_destroy);
  BENCH_FIND(append_data_chunk);
  BENCH_FIND(create_logical_type);
  BENCH_FIND(destroy_logical_type);
  BENCH_FIND(create_data_chunk);
  BENCH_FIND(data_chunk_reset);
  BENCH_FIND(data_chunk_set_size);
  BENCH_FIND(vector_size);
#undef BENCH_FIND
}

std::string find_duckdb(const std::string& node_modules) {
  const char* const search = std::getenv("NODE_PATH");
  for (const std::string& place : {node_modules, std::string(search != nullptr ? search : "")}) {
    if (place.empty()) continue;
    std::error_code error;
    for (const auto& package : std::filesystem::directory_iterator(place + "/@duckdb", error)) {
      const auto library = package.path() / "libduckdb.so";
      if (std::filesystem::exists(library, error)) return library.string();
    }
  }
  return "";
}

}  // namespace bench
