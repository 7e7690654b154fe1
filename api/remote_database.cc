#include "api/remote_database.h"

#include <fmt/format.h>

#include "api/braid.h"
#include "engine/local_socket.h"

namespace braid {

namespace {

constexpr int kHelloSecondsMax = 5;

/// While one lives, the token stops what runs on the way to the host. Afterwards nobody is told of progress there.
class StopsRemote {
 public:
  StopsRemote(std::shared_ptr<CancelToken> token, RemoteConnection& link) : token_(std::move(token)), link_(link) {
    link_.set_token(token_);
    if (token_ != nullptr) token_->attach(this, [&link] { link.interrupt(); });
  }
  ~StopsRemote() {
    if (token_ != nullptr) token_->detach(this);
    link_.set_token(nullptr);
    link_.set_progress(nullptr);
  }
  StopsRemote(const StopsRemote&) = delete;
  StopsRemote& operator=(const StopsRemote&) = delete;

 private:
  const std::shared_ptr<CancelToken> token_;  // shared with those that set it
  RemoteConnection& link_;
};

}  // namespace

Result<std::unique_ptr<Channel>> RemoteDatabase::connect(Message& hello) const {
  BRAID_ASSIGN(Descriptor socket, connect_socket(directory_));
  auto channel = std::make_unique<Channel>(std::move(socket));
  channel->set_patience(kHelloSecondsMax);
  Message call;
  call.operation = Operation::kHello;
  call.values = {Value::number(kProtocolVersion), Value::text(braid_version())};
  // One who refuses says so at once, and may be gone before it is asked.
  channel->send(call, kMessageBytesMax).ignore();
  auto answer = channel->receive();
  if (!answer.ok()) return Status(StatusCode::kBusy, fmt::format("{}: the process that has it open does not answer", directory_));
  BRAID_TRY(status_of(*answer).within(directory_));
  if (answer->values.size() != 3)
    return Status(StatusCode::kVersion, fmt::format("{}: the process that has it open greets in another way", directory_));
  channel->set_patience(0);
  hello = answer.take();
  return channel;
}

Result<std::shared_ptr<RemoteDatabase>> RemoteDatabase::open(const std::string& directory) {
  std::shared_ptr<RemoteDatabase> database(new RemoteDatabase(directory));  // shared: its connections keep it
  Message hello;
  BRAID_TRY(database->connect(hello).status());
  database->instance_ = hello.values[0].integer;
  database->call_bytes_max_ = static_cast<size_t>(hello.values[1].integer);
  database->value_bytes_max_ = hello.values[2].integer;
  return database;
}

Result<std::unique_ptr<RemoteConnection>> RemoteDatabase::link() {
  BRAID_TRY(settings_.wishes().check_cancelled());
  const Status gone(StatusCode::kIo, fmt::format("the process that served {} has gone away", directory_));
  Message hello;
  auto channel = connect(hello);
  if (channel.status().code() == StatusCode::kNotFound) return gone;
  BRAID_TRY(channel.status());
  if (hello.values[0].integer != instance_) return gone;
  return std::make_unique<RemoteConnection>(shared_from_this(), channel.take());
}

Result<Message> RemoteDatabase::call(Operation operation, std::vector<Value> values, const std::function<bool(const Message&)>& progress) {
  BRAID_ASSIGN(Message answer, call_for_part(operation, std::move(values), progress));
  BRAID_TRY(status_of(answer));
  return answer;
}

Result<Message> RemoteDatabase::call_for_part(Operation operation, std::vector<Value> values, const std::function<bool(const Message&)>& progress) {
  BRAID_ASSIGN(const auto connection, link());
  return call_on(*connection, operation, std::move(values), 0, progress);
}

Result<Message> RemoteDatabase::call_on(RemoteConnection& link, Operation operation, std::vector<Value> values, uint64_t handle,
                                        const std::function<bool(const Message&)>& progress) {
  const CallWishes wishes = settings_.wishes();
  const StopsRemote stops(wishes.token, link);
  link.set_progress([&](const Message& told) {
    if (told.values.size() != 1) return progress == nullptr || progress(told);
    return wishes.progress == nullptr || wishes.progress(told.values[0].real);
  });
  BRAID_TRY(link.wish(wishes));
  BRAID_ASSIGN(Message answer, link.call_for_part(operation, std::move(values), handle, may_commit(operation)));
  if (answer.code == 0 && wishes.progress) wishes.progress(1);
  return answer;
}

}  // namespace braid
