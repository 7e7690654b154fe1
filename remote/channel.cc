#include "remote/channel.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include "engine/env.h"

namespace braid {

Status send_frame(int socket, std::string_view frame, const std::function<Status()>& goes_on) {
  while (!frame.empty()) {
    const ssize_t count = ::send(socket, frame.data(), frame.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && goes_on) {
      BRAID_TRY(goes_on());
      continue;
    }
    if (count < 0) return errno_status(errno, "socket", "write");
    frame.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Status Channel::send_whole(std::string_view frame) {
  const MutexLock lock(sending_);
  return send_frame(socket_.number(), frame);
}

Status Channel::send(const Message& message, size_t bytes_max) {
  BRAID_ASSIGN(const std::string frame, encode_message(message, bytes_max));
  return send_whole(frame);
}

Status Channel::interrupt() { return send_whole(encode_header({FrameKind::kInterrupt, 0})); }

Result<Message> Channel::receive() {
  for (;;) {
    BRAID_ASSIGN(const FrameReader::Got got, reader_.read(socket_.number(), 0));
    if (got == FrameReader::Got::kEnd) return Status(StatusCode::kIo, "socket: closed by the other process");
    if (got == FrameReader::Got::kMore) continue;
    BRAID_ASSIGN(std::vector<uint64_t> words, reader_.take());
    return decode_message(std::move(words));
  }
}

void Channel::end() { ::shutdown(socket_.number(), SHUT_RDWR); }

void Channel::set_patience(int seconds) {
  const timeval patience = {seconds, 0};
  ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

}  // namespace braid
