// The socket in the directory of a database, through which other processes of the same user reach the one that has it open.
//
// The address is the name `socket` in an open directory, so that it may be as long as paths are. The file is for its owner alone (mode 0600), is
// never reached through a symbolic link, and each side asks the kernel who the other is: another user is refused, root is not.
#pragma once

#include <memory>
#include <string>

#include "engine/result.h"

namespace braid {

/// A descriptor, closed with it.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;

  int number() const { return number_; }

 private:
  int number_;
};

/// A socket that listens, whose file goes with it.
class ListeningSocket {
 public:
  /// Only for the process that holds the directory's LOCK: what lies there under the name was left by a dead one and is removed.
  /// kIo names the file.
  static Result<std::unique_ptr<ListeningSocket>> make(const std::string& directory);
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  int number() const { return socket_.number(); }
  /// The next connection, or one with -1 when nobody waits or who came was refused. kFull: no descriptors are left.
  Result<Descriptor> accept() const;

 private:
  ListeningSocket(Descriptor directory, Descriptor socket) : directory_(std::move(directory)), socket_(std::move(socket)) {}
  const Descriptor directory_;
  const Descriptor socket_;
};

/// Connects to the one who listens in a directory, waiting some seconds for one who is busy. kNotFound: nobody listens. kDenied: the file, or who
/// listens, is another user's.
Result<Descriptor> connect_socket(const std::string& directory);

}  // namespace braid
