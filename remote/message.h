// A call of another process, or an answer to one, and the frames in which they travel.
//
// A frame is a header of eight bytes and a Cap'n Proto message of whole words. An interrupt is a header alone. Both ends are processes of one
// machine, so that arrays of numbers are sent as their bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "remote/operation.h"

namespace braid {

/// What a call takes and gives. Texts and blobs are borrowed.
struct Value {
  enum class Type : uint8_t { kNull, kInt64, kDouble, kText, kBlob };
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes;

  static Value number(int64_t value) { return {Type::kInt64, value, 0, {}}; }
  static Value real_number(double value) { return {Type::kDouble, 0, value, {}}; }
  static Value text(std::string_view value) { return {Type::kText, 0, 0, value}; }
  static Value blob(std::string_view value) { return {Type::kBlob, 0, 0, value}; }
  /// NULL for a null pointer.
  static Value text_or_null(const char* value) { return value == nullptr ? Value() : text(value); }
  /// An array as its bytes.
  template <typename T>
  static Value array(const T* values, size_t count) {
    if (values == nullptr) return {};
    // Safety: any object may be read as bytes.
    return blob({reinterpret_cast<const char*>(values), count * sizeof(T)});
  }
};

/// The numbers of an array that was sent as its bytes.
template <typename T>
std::vector<T> array_of(const Value& value) {
  std::vector<T> numbers(value.type == Value::Type::kBlob ? value.bytes.size() / sizeof(T) : 0);
  if (!numbers.empty()) std::memcpy(numbers.data(), value.bytes.data(), numbers.size() * sizeof(T));
  return numbers;
}

/// A value. One that was decoded holds the words that its values borrow from; texts among them are followed by a NUL.
struct Message {
  Operation operation = Operation::kAnswer;
  uint64_t handle = 0;          ///< of a statement or the like: the host's number
  int32_t code = 0;             ///< of an answer: BRAID_OK or what the call answered
  bool in_transaction = false;  ///< of an answer: the connection, afterwards
  int64_t error_offset = -1;
  std::string error;
  std::vector<Value> values;
  std::vector<uint64_t> words;
};

inline constexpr size_t kHeaderBytes = 8;
/// Cap'n Proto's own bound on one text or blob is 512 MiB; with the lists around it no message of this size meets one.
inline constexpr size_t kMessageBytesMax = size_t{500} << 20;

enum class FrameKind : uint16_t { kMessage = 1, kInterrupt = 2 };

struct FrameHeader {
  FrameKind kind = FrameKind::kMessage;
  uint32_t words = 0;  ///< that follow
};

std::string encode_header(FrameHeader header);
/// kCorrupt for anything that is not one. `bytes` has kHeaderBytes.
Result<FrameHeader> decode_header(const char* bytes);

/// The frame of a message. kLimit, naming the size, when it is larger than `bytes_max`.
Result<std::string> encode_message(const Message& message, size_t bytes_max);
/// Any words at all: kCorrupt when they are no message.
Result<Message> decode_message(std::vector<uint64_t> words);

}  // namespace braid
