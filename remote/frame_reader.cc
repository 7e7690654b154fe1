#include "remote/frame_reader.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/env.h"

namespace braid {

namespace {

constexpr size_t kStepBytes = 64 << 10;

/// What `recv` answered: how many bytes, none yet, or the end.
Result<FrameReader::Got> received(ssize_t count, size_t& got) {
  if (count > 0) {
    got += static_cast<size_t>(count);
    return FrameReader::Got::kMore;
  }
  if (count == 0 || errno == ECONNRESET) return FrameReader::Got::kEnd;
  if (errno == EINTR) return FrameReader::Got::kMore;
  return errno_status(errno, "socket", "read");
}

bool nothing_there(ssize_t count, int flags) { return count < 0 && (flags & MSG_DONTWAIT) != 0 && (errno == EAGAIN || errno == EWOULDBLOCK); }

}  // namespace

Result<FrameReader::Got> FrameReader::read(int socket, int flags) {
  if (header_got_ < kHeaderBytes) return read_header(socket, flags);
  return read_words(socket, flags);
}

Result<FrameReader::Got> FrameReader::read_header(int socket, int flags) {
  const ssize_t count = ::recv(socket, header_bytes_.data() + header_got_, kHeaderBytes - header_got_, flags);
  if (nothing_there(count, flags)) return Got::kMore;
  BRAID_ASSIGN(const Got got, received(count, header_got_));
  if (got != Got::kMore || header_got_ < kHeaderBytes) return got;
  BRAID_ASSIGN(header_, decode_header(header_bytes_.data()));
  if (header_.words > bytes_max_ / sizeof(uint64_t)) return Status(StatusCode::kCorrupt, "a message on the socket is larger than any may be");
  memory_.clear();
  return header_.words == 0 ? Got::kFrame : Got::kMore;
}

/// Where at least one more byte of the message goes, and `size` of them at most.
char* FrameReader::room_for(size_t size) {
  const size_t held = words_.size() * sizeof(uint64_t);
  if (got_ == held) {
    const size_t wanted = std::min(got_ + size, std::max(got_ * 2, kStepBytes));
    if (refusal_.ok()) refusal_ = memory_.grow_to(wanted);
    if (!refusal_.ok()) {
      // What is there is written over and over.
      words_ = {};
      words_.resize(kStepBytes / sizeof(uint64_t));
      return nullptr;
    }
    words_.resize((wanted + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  }
  // Safety: char may alias any object.
  return reinterpret_cast<char*>(words_.data()) + got_;
}

Result<FrameReader::Got> FrameReader::read_words(int socket, int flags) {
  const size_t all = size_t{header_.words} * sizeof(uint64_t);
  char* to = refusal_.ok() ? room_for(all - got_) : nullptr;
  size_t room = to == nullptr ? kStepBytes : words_.size() * sizeof(uint64_t) - got_;
  // Safety: char may alias any object.
  if (to == nullptr) to = reinterpret_cast<char*>(words_.data());
  room = std::min(room, all - got_);
  const ssize_t count = ::recv(socket, to, room, flags);
  if (nothing_there(count, flags)) return Got::kMore;
  BRAID_ASSIGN(const Got got, received(count, got_));
  return got == Got::kMore && got_ == all ? Got::kFrame : got;
}

Result<std::vector<uint64_t>> FrameReader::take() {
  header_got_ = 0;
  got_ = 0;
  std::vector<uint64_t> words = std::exchange(words_, {});
  if (const Status refusal = std::exchange(refusal_, {}); !refusal.ok()) return refusal;
  words.resize(header_.words);
  return words;
}

}  // namespace braid
