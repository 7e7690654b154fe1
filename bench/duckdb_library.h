// The part of DuckDB's C API that the benchmarks use, from a library that is opened at run time: npm has it, Debian has not.
//
// Names and types are those of duckdb.h without their prefix; that API is stable.
#pragma once

#include <cstdint>
#include <string>

namespace bench {

struct DuckdbLibrary {
  using Index = uint64_t;
  using State = int;  ///< 0 is success
  struct Opaque;
  using Handle = Opaque*;  ///< database, connection, appender, data chunk, vector, logical type
  struct Result {
    Index unused[3];
    void* unused_data;
    char* unused_text;
    void* internal;
  };
  enum Type : int { kBoolean = 1, kInteger = 4, kBigint = 5, kDouble = 11, kTimestamp = 12, kVarchar = 17 };

  /// Ends the benchmark when the library cannot be opened.
  explicit DuckdbLibrary(const std::string& path);
  DuckdbLibrary(const DuckdbLibrary&) = delete;
  DuckdbLibrary& operator=(const DuckdbLibrary&) = delete;

  State (*open)(const char* path, Handle* database);
  void (*close)(Handle* database);
  State (*connect)(Handle database, Handle* connection);
  void (*disconnect)(Handle* connection);
  State (*query)(Handle connection, const char* sql, Result* result);
  void (*destroy_result)(Result* result);
  const char* (*result_error)(Result* result);
  Index (*column_count)(Result* result);
  Type (*column_type)(Result* result, Index column);
  Handle (*fetch_chunk)(Result result);
  void (*destroy_data_chunk)(Handle* chunk);
  Index (*data_chunk_get_size)(Handle chunk);
  Handle (*data_chunk_get_vector)(Handle chunk, Index column);
  void* (*vector_get_data)(Handle vector);
  uint64_t* (*vector_get_validity)(Handle vector);
  void (*vector_assign_string_element_len)(Handle vector, Index row, const char* text, Index size);
  State (*appender_create)(Handle connection, const char* schema, const char* table, Handle* appender);
  State (*appender_destroy)(Handle* appender);
  State (*append_data_chunk)(Handle appender, Handle chunk);
  Handle (*create_logical_type)(Type type);
  void (*destroy_logical_type)(Handle* type);
  Handle (*create_data_chunk)(Handle* types, Index count);
  void (*data_chunk_reset)(Handle chunk);
  void (*data_chunk_set_size)(Handle chunk, Index size);
  Index (*vector_size)();
};

/// Where npm puts it; "" when it is not there.
std::string find_duckdb(const std::string& node_modules);

}  // namespace bench
