// The client's end of a connection to the process that serves a database.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/local_socket.h"
#include "engine/mutex.h"
#include "engine/result.h"
#include "remote/frame_reader.h"
#include "remote/message.h"

namespace braid {

/// Sends all bytes of a frame; kIo when the other side is gone. Where the socket has a time limit, `goes_on` is asked each time that passes while there is
/// no room, and what it answers ends the sending.
Status send_frame(int socket, std::string_view frame, const std::function<Status()>& goes_on = {});

/// One thread at a time, but for `interrupt`.
class Channel {
 public:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)), reader_(kMessageBytesMax) {}

  /// kLimit, before anything was sent, when the message is larger than `bytes_max`; kIo.
  Status send(const Message& message, size_t bytes_max);
  Status interrupt();
  /// Waits for the next message. kIo when the other side is gone; kCorrupt.
  Result<Message> receive();
  /// Nothing is sent or received any more.
  void end();
  /// `receive` answers kIo when nothing comes for so long; 0: it waits.
  void set_patience(int seconds);

 private:
  Status send_whole(std::string_view frame);

  const Descriptor socket_;
  FrameReader reader_;
  Mutex sending_;  // frames are not torn by an interrupt
};

}  // namespace braid
