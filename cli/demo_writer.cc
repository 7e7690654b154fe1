// The process that the demo kills.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/demo.h"
#include "cli/demo_promise.h"
#include "cli/demo_query.h"
#include "cli/exit_code.h"

namespace braid::cli {
namespace demo {
namespace {

// The statements of one transaction, prepared once.
struct Writer {
  explicit Writer(const Session* session) : row(session), edge(session), point(session) {}

  RepeatedStatement row;
  RepeatedStatement edge;
  RepeatedStatement point;
};

Done prepare(Writer* writer) {
  CLI_TRY(writer->row.prepare("UPDATE promise SET number = ? WHERE name = 'left'"));
  CLI_TRY(
      writer->edge.prepare("SELECT graph_link('Promise', 'left', 'WROTE', 'Promise', 'right', ?)"));
  return writer->point.prepare("INSERT INTO promise_points VALUES (?, 'writer', ?)");
}

Done write_number(const Session& session, int64_t number, Writer* writer) {
  CLI_TRY(session.check(braid_begin(session.connection(), BRAID_WRITE)));
  CLI_TRY(writer->row.bind(1, number));
  CLI_TRY(writer->row.run());
  CLI_TRY(writer->edge.bind(1, fmt::format("{{\"number\":{}}}", number)));
  CLI_TRY(writer->edge.run());
  for (int i = 0; i < kPromisePoints; ++i) {
    CLI_TRY(writer->point.bind(1, number * kPromisePoints + i));
    CLI_TRY(writer->point.bind(2, number));
    CLI_TRY(writer->point.run());
  }
  return session.check(braid_commit(session.connection()));
}

// The number reaches the pipe only after its commit was acknowledged.
Done acknowledge(int64_t number) {
  const std::string line = fmt::format("{}\n", number);
  if (write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size()))
    return {};
  return Failure{"nobody reads the numbers any more"};
}

Done write_until_killed(const std::string& directory) {
  Outcome<Session> session = Session::open({.directory = directory, .must_exist = true});
  if (!session.ok()) return session.failure();
  int64_t number = 0;
  CLI_TRY(query_int64(*session, "SELECT number FROM promise WHERE name = 'left'", &number));
  Writer writer(&*session);
  CLI_TRY(prepare(&writer));
  while (true) {
    CLI_TRY(write_number(*session, ++number, &writer));
    CLI_TRY(acknowledge(number));
  }
}

}  // namespace
}  // namespace demo

int run_demo_writer(const std::string& directory) {
  const Done ended = demo::write_until_killed(directory);
  if (ended) fmt::print(stderr, "braid demo-writer: {}\n", ended->message);
  return kExitError;
}

}  // namespace braid::cli
