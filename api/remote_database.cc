#include "api/remote_database.h"

#include <fmt/format.h>

#include "api/braid.h"
#include "engine/local_socket.h"

namespace braid {

namespace {

constexpr int kHelloSecondsMax = 5;

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
  const Status gone(StatusCode::kIo, fmt::format("the process that served {} has gone away", directory_));
  Message hello;
  auto channel = connect(hello);
  if (channel.status().code() == StatusCode::kNotFound) return gone;
  BRAID_TRY(channel.status());
  if (hello.values[0].integer != instance_) return gone;
  return std::make_unique<RemoteConnection>(shared_from_this(), channel.take());
}

Result<Message> RemoteDatabase::call(Operation operation, std::vector<Value> values, const std::function<bool(const Message&)>& progress) {
  BRAID_ASSIGN(const auto connection, link());
  connection->set_progress(progress);
  return connection->call(operation, std::move(values));
}

}  // namespace braid
