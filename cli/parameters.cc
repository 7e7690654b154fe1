#include "cli/parameters.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "cli/result_row.h"

namespace braid::cli {

namespace {

constexpr std::string_view kPrefixes = ":@$";

/// The names by which a statement may know it.
std::vector<std::string> spellings(const std::string& name) {
  if (name.starts_with('?') || kPrefixes.find(name[0]) != std::string_view::npos) return {name};
  std::vector<std::string> names;
  for (char prefix : kPrefixes) names.push_back(prefix + name);
  return names;
}

}  // namespace

Cell Parameters::Value::whole() const {
  Cell cell_with_bytes = cell;
  cell_with_bytes.text = bytes;
  return cell_with_bytes;
}

Done Parameters::set(const Session& session, std::string_view name, std::string_view expression) {
  if (name.empty() || name == ":" || name == "@" || name == "$") return Failure{"a parameter needs a name: .param set :NAME VALUE"};
  Value value{.cell = {.type = BRAID_TYPE_TEXT}, .bytes = std::string(expression)};
  // The parentheses keep the text one expression.
  Outcome<PreparedStatement> prepared = session.prepare(fmt::format("SELECT ({}\n)", expression));
  if (prepared.ok() && prepared->handle != nullptr && braid_statement_step(prepared->handle.get()) == BRAID_ROW) {
    value.cell = cell_of(prepared->handle.get(), 0);
    value.bytes = value.cell.text;
  }
  values_.insert_or_assign(std::string(name), std::move(value));
  return std::nullopt;
}

bool Parameters::unset(std::string_view name) {
  size_t erased = values_.erase(std::string(name));
  if (erased == 0 && !name.empty())
    for (const std::string& spelling : spellings(std::string(name))) erased += values_.erase(spelling);
  return erased > 0;
}

void Parameters::write(ResultWriter* writer) const {
  const std::array<std::string, 2> columns = {"name", "value"};
  writer->begin(columns);
  for (const auto& [name, value] : values_) {
    const std::array<Cell, 2> cells = {Cell::of(std::string_view(name)), value.whole()};
    writer->row(cells);
  }
  writer->end();
}

Done Parameters::bind_value(const Session& session, braid_statement* statement, int32_t index, const Value& value) {
  const auto size = static_cast<int64_t>(value.bytes.size());
  switch (value.cell.type) {
    case BRAID_TYPE_INT64:
      return session.check(braid_bind_int64(statement, index, value.cell.integer));
    case BRAID_TYPE_DOUBLE:
      return session.check(braid_bind_double(statement, index, value.cell.real));
    case BRAID_TYPE_TEXT:
      return session.check(braid_bind_text(statement, index, value.bytes.data(), size));
    case BRAID_TYPE_BLOB:
      return session.check(braid_bind_blob(statement, index, value.bytes.data(), size));
    default:
      return session.check(braid_bind_null(statement, index));
  }
}

Done Parameters::bind(const Session& session, braid_statement* statement) const {
  const int32_t count = braid_parameter_count(statement);
  if (count <= 0) return std::nullopt;
  std::set<int32_t> bound;
  const auto bind_each = [&](bool numbered) -> Done {
    for (const auto& [name, value] : values_) {
      if (name.starts_with('?') != numbered) continue;
      for (const std::string& spelling : spellings(name)) {
        const int32_t index = numbered ? std::atoi(spelling.c_str() + 1) : braid_parameter_index(statement, spelling.c_str());
        if (index <= 0 || index > count) continue;
        CLI_TRY(bind_value(session, statement, index, value));
        bound.insert(index);
      }
    }
    return std::nullopt;
  };
  // A name says more than a number.
  CLI_TRY(bind_each(true));
  CLI_TRY(bind_each(false));
  for (int32_t index = 1; index <= count; ++index) {
    if (bound.contains(index)) continue;
    return Failure{fmt::format("parameter {} of the statement's {} has no value: .param set NAME VALUE gives it one, by its name or as ?{}",
                               index, count, index)};
  }
  return std::nullopt;
}

}  // namespace braid::cli
