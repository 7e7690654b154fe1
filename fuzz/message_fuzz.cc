// Any bytes as what another process sends: as a header, as a message, and as frames on a socket. A message that can be read is written and read
// again: it must be the same.
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/input.h"
#include "remote/frame_reader.h"
#include "remote/message.h"

using namespace braid;

namespace {

std::vector<uint64_t> words_of(std::string_view bytes) {
  std::vector<uint64_t> words(bytes.size() / sizeof(uint64_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * sizeof(uint64_t));
  return words;
}

void check_message(std::string_view bytes) {
  const auto message = decode_message(words_of(bytes));
  if (!message.ok()) return;
  const auto frame = encode_message(*message, kMessageBytesMax);
  must(frame.ok());
  const auto header = decode_header(frame->data());
  must(header.ok() && header->words * sizeof(uint64_t) + kHeaderBytes == frame->size());
  const auto again = decode_message(words_of(std::string_view(*frame).substr(kHeaderBytes)));
  must(again.ok() && again->operation == message->operation && again->handle == message->handle && again->code == message->code);
  must(again->error == message->error && again->error_offset == message->error_offset && again->values.size() == message->values.size());
  for (size_t i = 0; i < again->values.size(); ++i) {
    const Value& one = again->values[i];
    const Value& other = message->values[i];
    must(one.type == other.type && one.integer == other.integer && one.bytes == other.bytes &&
         std::memcmp(&one.real, &other.real, sizeof one.real) == 0);
    must(one.type != Value::Type::kText || one.bytes.data()[one.bytes.size()] == '\0');
  }
}

/// The bytes in pieces, and then the end.
void check_frames(std::string_view bytes) {
  constexpr size_t kBytesMax = 4096;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
  FrameReader reader(kBytesMax);
  for (size_t piece = 1; !bytes.empty(); piece = piece * 3 + 1) {
    const std::string_view part = bytes.substr(0, std::min<size_t>(piece, 1024));
    bytes.remove_prefix(part.size());
    must(::send(ends[0], part.data(), part.size(), 0) == static_cast<ssize_t>(part.size()));
  }
  ::shutdown(ends[0], SHUT_WR);
  for (bool more = true; more;) {
    const auto got = reader.read(ends[1], MSG_DONTWAIT);
    more = got.ok() && *got != FrameReader::Got::kEnd;
    if (!more || *got != FrameReader::Got::kFrame) continue;
    const auto words = reader.take();
    must(words.ok() && words->size() <= kBytesMax / sizeof(uint64_t));
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const bool frames = input.flag();
  const std::string_view bytes = input.rest().substr(0, 64 << 10);
  if (frames) {
    check_frames(bytes);
  } else {
    check_message(bytes);
  }
  return 0;
}
