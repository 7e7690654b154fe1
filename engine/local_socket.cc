#include "engine/local_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/env.h"

namespace braid {

namespace {

constexpr char kName[] = "socket";
constexpr int kBacklog = 64;
constexpr timeval kConnectTimeMax = {5, 0};
constexpr timeval kUnbounded = {0, 0};

std::string path_of(const std::string& directory) { return directory + "/" + kName; }

Result<Descriptor> open_directory(const std::string& directory) {
  Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0) return errno_status(errno, directory, "open");
  return opened;
}

Result<Descriptor> new_socket(const std::string& directory) {
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.number() < 0) return errno_status(errno, path_of(directory), "make a socket");
  return made;
}

/// A path may be longer than an address, so the address goes by way of the open directory.
sockaddr_un address_in(const Descriptor& directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}", directory.number(), kName);
  return address;
}

// Safety: the calls take any address by a pointer to sockaddr, as POSIX has it.
const sockaddr* any_address(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

bool is_trusted(int connected) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connected, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Result<std::unique_ptr<ListeningSocket>> ListeningSocket::make(const std::string& directory) {
  BRAID_ASSIGN(Descriptor opened, open_directory(directory));
  BRAID_ASSIGN(Descriptor socket, new_socket(directory));
  if (::unlinkat(opened.number(), kName, 0) != 0 && errno != ENOENT) return errno_status(errno, path_of(directory), "remove");
  // On Linux the file gets the mode that the socket has when it is bound.
  if (::fchmod(socket.number(), S_IRUSR | S_IWUSR) != 0) return errno_status(errno, path_of(directory), "set the mode");
  const sockaddr_un address = address_in(opened);
  if (::bind(socket.number(), any_address(address), sizeof address) != 0) return errno_status(errno, path_of(directory), "bind");
  std::unique_ptr<ListeningSocket> made(new ListeningSocket(std::move(opened), std::move(socket)));
  if (::fcntl(made->number(), F_SETFL, O_NONBLOCK) != 0 || ::listen(made->number(), kBacklog) != 0)
    return errno_status(errno, path_of(directory), "listen");
  return made;
}

ListeningSocket::~ListeningSocket() {
  ::unlinkat(directory_.number(), kName, 0);
  // Also for a child that was forked meanwhile and holds it open.
  ::shutdown(socket_.number(), SHUT_RDWR);
}

Result<Descriptor> ListeningSocket::accept() const {
  Descriptor accepted(::accept4(number(), nullptr, nullptr, SOCK_CLOEXEC));
  if (accepted.number() >= 0) return is_trusted(accepted.number()) ? std::move(accepted) : Descriptor();
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return Status(StatusCode::kFull, "no descriptors are left");
  return Descriptor();
}

Result<Descriptor> connect_socket(const std::string& directory) {
  BRAID_ASSIGN(const Descriptor opened, open_directory(directory));
  const std::string path = path_of(directory);
  struct stat status;
  if (::fstatat(opened.number(), kName, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? Status(StatusCode::kNotFound, fmt::format("{}: there is none", path)) : errno_status(errno, path, "look at");
  if (!S_ISSOCK(status.st_mode)) return Status(StatusCode::kDenied, fmt::format("{}: is no socket", path));
  if (status.st_uid != ::geteuid() && status.st_uid != 0 && ::geteuid() != 0)
    return Status(StatusCode::kDenied, fmt::format("{}: belongs to another user", path));
  BRAID_ASSIGN(Descriptor socket, new_socket(directory));
  const sockaddr_un address = address_in(opened);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &kConnectTimeMax, sizeof kConnectTimeMax);
  if (::connect(socket.number(), any_address(address), sizeof address) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) return Status(StatusCode::kNotFound, fmt::format("{}: nobody listens", path));
    return errno_status(errno, path, "connect");
  }
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &kUnbounded, sizeof kUnbounded);
  // Whatever was put in the file's place since it was looked at: this is asked of the connection itself.
  if (::geteuid() != 0 && !is_trusted(socket.number())) return Status(StatusCode::kDenied, fmt::format("{}: another user listens", path));
  return socket;
}

}  // namespace braid
