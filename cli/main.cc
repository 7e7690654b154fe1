// The braid command: arguments in, exit code out. It uses nothing of Braid but its C API.
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/demo.h"
#include "cli/exit_code.h"
#include "cli/graph_command.h"
#include "cli/import.h"
#include "cli/inspection.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/report.h"
#include "cli/script.h"
#include "cli/shell.h"
#include "cli/tail_command.h"
#include "cli/terminal.h"

namespace braid::cli {

namespace {

int fail(const Failure& failure) {
  report(failure);
  return kExitError;
}

OutputFormat usual_format() {
  return is_terminal(STDOUT_FILENO) ? OutputFormat::kBox : OutputFormat::kCsv;
}

/// What was sent to a file or a program is whole only now.
bool report_unwritten(Console* console) {
  Done closed = console->redirect("");
  if (!closed.has_value()) return false;
  report(*closed);
  return true;
}

/// A transaction that nobody ended is rolled back when the connection closes: that must not go without a word.
bool report_open_transaction(const Console& console) {
  if (braid_in_transaction(console.session().connection()) == 0) return false;
  report({"the transaction that was left open is rolled back: COMMIT is missing"});
  return true;
}

int run_scripts(const SqlArguments& arguments, Console* console) {
  if (arguments.sql.has_value()) {
    return run_script_text(console, *arguments.sql, arguments.keep_going) == ScriptEnd::kOk ? kExitOk : kExitError;
  }
  int exit_code = kExitOk;
  std::vector<std::string> files = arguments.files;
  if (files.empty()) files.push_back("-");
  for (const std::string& file : files) {
    if (run_script_file(console, file, arguments.keep_going) == ScriptEnd::kOk) continue;
    exit_code = kExitError;
    if (!arguments.keep_going || interrupt_requested()) break;
  }
  return exit_code;
}

int run(const SqlArguments& arguments) {
  const bool script = arguments.sql.has_value() || !arguments.files.empty();
  const bool interactive = !script && is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
  install_interrupt_handler();
  Outcome<Session> session = Session::open(
      {.directory = arguments.database.directory, .options = arguments.database.options});
  if (!session.ok()) return fail(session.failure());
  Console console(session.take(), {.format = arguments.format.value_or(usual_format()),
                                   .colour = may_colour(STDOUT_FILENO),
                                   .interactive = interactive});
  if (interactive) {
    const int exit_code = run_shell(&console);
    report_unwritten(&console);
    report_open_transaction(console);
    return exit_code;
  }
  const int exit_code = run_scripts(arguments, &console);
  const bool unwritten = report_unwritten(&console);
  return report_open_transaction(console) || unwritten ? kExitError : exit_code;
}
/// What `braid export` has written.
int import_directory(const ImportCommand& command) {
  Outcome<Session> session =
      Session::open({.directory = command.database.directory, .options = command.database.options});
  if (!session.ok()) return fail(session.failure());
  Console console(session.take(), {});
  Done done = import_export(&console, command.import.file);
  if (!done.has_value()) return kExitOk;
  // A script has told its failure at its place.
  if (!done->message.empty()) report(*done);
  return kExitError;
}

int run(const ImportCommand& command) {
  install_interrupt_handler();
  if (command.import.target == ImportArguments::Target::kExport) return import_directory(command);
  // The file comes first: a name with a typing error should not leave a new database behind.
  Outcome<std::unique_ptr<InputFile>> file = InputFile::open(command.import.file);
  if (!file.ok()) return fail(file.failure());
  Outcome<Session> session =
      Session::open({.directory = command.database.directory, .options = command.database.options});
  if (!session.ok()) return fail(session.failure());
  Done done = import_file(*session, command.import, file->get());
  return done.has_value() ? fail(*done) : kExitOk;
}

/// Does something in a database that is there. Ctrl-C ends opening and work.
template <typename Work>
int run_in(const DatabaseArguments& database, Work work) {
  install_interrupt_handler();
  Outcome<Session> session = Session::open({.directory = database.directory, .options = database.options, .must_exist = true});
  if (!session.ok()) return fail(session.failure());
  const Done done = work(*session);
  return done.has_value() ? fail(*done) : kExitOk;
}

int run(const GraphCommand& command) {
  return run_in(command.database, [&](const Session& session) { return run_graph(session, command.graph); });
}

int run(const PlotCommand& command) {
  return run_in(command.database, [&](const Session& session) { return run_plot(session, command.plot, stdout); });
}

int run(const CheckCommand& command) {
  if (is_backup(command.database.directory)) {
    install_interrupt_handler();
    Done checked = check_backup(command.database.directory, command.database.options);
    return checked.has_value() ? fail(*checked) : kExitOk;
  }
  return run_in(command.database, [&](const Session& session) { return check_database(session, stdout); });
}

int run(const BackupCommand& command) {
  return run_in(command.database, [&](const Session& session) { return run_backup(session, command.backup); });
}

int run(const RestoreArguments& arguments) {
  install_interrupt_handler();
  Done done = run_restore(arguments);
  return done.has_value() ? fail(*done) : kExitOk;
}

int run(const RepairArguments& arguments) {
  install_interrupt_handler();
  Done done = run_repair(arguments);
  return done.has_value() ? fail(*done) : kExitOk;
}

int run(const StatsCommand& command) {
  return run_in(command.database, [&](const Session& session) {
    if (command.prometheus) return show_metrics(session, stdout);
    auto writer = make_result_writer({.format = command.format.value_or(usual_format()), .colour = may_colour(STDOUT_FILENO)}, stdout);
    return show_stats(session, writer.get());
  });
}

int run(const ExportCommand& command) {
  return run_in(command.database, [&](const Session& session) { return run_export(session, command.exported); });
}

int run(const TailCommand& command) {
  return run_in(command.database, [&](const Session& session) { return run_tail(session, command.tail, STDOUT_FILENO); });
}

int run(const DemoCommand& command) { return run_demo(command.directory); }

int run(const DemoWriterCommand& command) { return run_demo_writer(command.directory); }

int run(const Answer& answer) {
  std::fputs(answer.text.c_str(), answer.exit_code == kExitOk ? stdout : stderr);
  return answer.exit_code;
}

// Results that did not reach their file are an error, though every statement succeeded.
int flushed(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  return fail({"cannot write the results: " + reason_of_failed_write(stdout)});
}

}  // namespace

}  // namespace braid::cli

int main(int argument_count, char** arguments) {
  using namespace braid::cli;
  try {
    choose_utf8_locale();
    const Arguments read =
        read_arguments({arguments + (argument_count > 0 ? 1 : 0), arguments + argument_count});
    return flushed(std::visit([](const auto& command) { return run(command); }, read));
  } catch (const std::exception& error) {
    // Nothing here throws by itself; the standard library does when memory runs out.
    std::fprintf(stderr, "braid: %s\n", error.what());
    return kExitError;
  }
}
