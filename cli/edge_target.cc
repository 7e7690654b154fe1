#include "cli/edge_target.h"

#include <fmt/format.h>

#include <array>

#include "cli/graphml_reader.h"
#include "cli/json_text.h"
#include "cli/node_target.h"

namespace braid::cli {

Done EdgeTarget::plan_end(std::vector<ImportColumn>* columns, End* end) const {
  const EdgeEnd& names = *end->names;
  const std::optional<size_t> column = find_column(*columns, names.column);
  if (!column.has_value()) {
    return Failure{fmt::format("line 1: there is no column \"{}\" ({}); the columns are {}",
                               names.column, end->option, column_names(*columns))};
  }
  end->column = *column;
  (*columns)[*column].type = ColumnType::kText;
  Outcome<bool> has_index = has_node_index(session_, names.label, names.key);
  if (!has_index.ok()) return has_index.failure();
  if (*has_index) return std::nullopt;
  return Failure{fmt::format(
      "{}: there is no index to find {} nodes by {}; import them first with --nodes {} --key {}, "
      "or run SELECT graph_create_index('{}', '{}', 1)",
      end->option, names.label, names.key, names.label, names.key, names.label, names.key)};
}

Done EdgeTarget::plan(std::vector<ImportColumn>* columns) {
  from_ = {.names = &arguments_.from, .option = "--from"};
  to_ = {.names = &arguments_.to, .option = "--to"};
  CLI_TRY(plan_end(columns, &from_));
  CLI_TRY(plan_end(columns, &to_));
  if (arguments_.edge_key.empty()) return std::nullopt;
  edge_key_ = find_column(*columns, arguments_.edge_key);
  if (edge_key_.has_value()) return std::nullopt;
  return Failure{fmt::format("line 1: there is no column \"{}\" (--edge-key); the columns are {}",
                             arguments_.edge_key, column_names(*columns))};
}

Done EdgeTarget::begin(const std::vector<ImportColumn>& columns) {
  columns_ = columns;
  const bool same_key = from_.names->label == to_.names->label && from_.names->key == to_.names->key;
  from_.known = &known_[0];
  to_.known = &known_[same_key ? 0 : 1];
  for (size_t i = 0; i < columns_.size(); ++i) has_properties_ |= i != from_.column && i != to_.column;
  if (!edge_key_.has_value()) return std::nullopt;
  Outcome<PreparedStatement> link =
      session_.prepare("SELECT graph_link(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  if (!link.ok()) return link.failure();
  link_ = std::move(link->handle);
  return std::nullopt;
}

Outcome<int64_t> EdgeTarget::find_as(const std::string& json, const End& end) const {
  int64_t node = 0;
  const int32_t code = braid_node_find(session_.connection(), end.names->label.c_str(),
                                       end.names->key.c_str(), json.c_str(), &node);
  if (code != BRAID_OK) return session_.failure(code);
  return node;
}

Outcome<EdgeTarget::Found> EdgeTarget::look_up(std::string_view key, End* end) const {
  // 07 is 7 only where no node has it as a text.
  for (const bool as_written : {true, false}) {
    for (size_t i = 0; i < kKeyForms; ++i) {
      const auto form = static_cast<KeyForm>((static_cast<size_t>(end->form) + i) % kKeyForms);
      const std::optional<std::string> json = key_json(key, form);
      if (!json.has_value() || (form == KeyForm::kText || *json == key) != as_written) continue;
      Outcome<int64_t> node = find_as(*json, *end);
      if (!node.ok()) return node.failure();
      if (*node == 0) continue;
      end->form = form;
      return Found{*node, form};
    }
  }
  return Failure{fmt::format("column \"{}\": there is no {} node with {} = '{}'",
                             columns_[end->column].name, end->names->label, end->names->key, key)};
}

Outcome<EdgeTarget::Found> EdgeTarget::find(const ImportValue& value, End* end) const {
  if (value.null) {
    return Failure{
        fmt::format("column \"{}\" is empty; an edge needs both ends", columns_[end->column].name)};
  }
  FoundNodes& known = *end->known;
  std::string key(value.text);
  if (const auto found = known.by_key.find(key); found != known.by_key.end()) return found->second;
  Outcome<Found> node = look_up(value.text, end);
  if (!node.ok()) return node;
  if (known.bytes > kFoundBytesMax) known = {};
  known.bytes += key.size() + sizeof(std::pair<std::string, Found>);
  known.by_key.emplace(std::move(key), *node);
  return node;
}

Done EdgeTarget::add(std::span<const ImportValue> values, int64_t line) {
  Outcome<Found> from = find(values[from_.column], &from_);
  if (!from.ok()) return from.failure();
  Outcome<Found> to = find(values[to_.column], &to_);
  if (!to.ok()) return to.failure();
  std::string properties;
  if (has_properties_) {
    const std::array<size_t, 2> ends = {from_.column, to_.column};
    Outcome<std::string> json = json_object(columns_, values, ends);
    if (!json.ok()) return json.failure();
    properties = json.take();
  }
  if (edge_key_.has_value()) return link(values, *from, *to, properties);
  sources_.push_back(from->node);
  targets_.push_back(to->node);
  lines_.push_back(line);
  bytes_ += properties.size();
  if (has_properties_) properties_.push_back(std::move(properties));
  return std::nullopt;
}

Done EdgeTarget::flush() {
  if (lines_.empty()) return std::nullopt;
  std::vector<const char*> properties;
  for (const std::string& json : properties_) properties.push_back(json.c_str());
  const int32_t code = braid_edges_create(session_.connection(), arguments_.name.c_str(), sources_.data(), targets_.data(),
                                          has_properties_ ? properties.data() : nullptr, lines_.size(), nullptr);
  // All were refused for one of them, whose line is to be told.
  const bool for_one = code == BRAID_CONSTRAINT || code == BRAID_INVALID_ARGUMENT || code == BRAID_LIMIT;
  CLI_TRY(for_one ? create_one_by_one() : session_.check(code));
  sources_.clear();
  targets_.clear();
  properties_.clear();
  lines_.clear();
  bytes_ = 0;
  return std::nullopt;
}

Done EdgeTarget::create_one_by_one() const {
  for (size_t i = 0; i < lines_.size(); ++i) {
    int64_t edge = 0;
    const char* properties = has_properties_ ? properties_[i].c_str() : nullptr;
    const int32_t code =
        braid_edge_create(session_.connection(), sources_[i], arguments_.name.c_str(), targets_[i], properties, &edge);
    if (code != BRAID_OK) return at_line(lines_[i], session_.failure(code));
  }
  return std::nullopt;
}

int32_t EdgeTarget::bind_key(int32_t index, const ImportValue& value, KeyForm form) const {
  switch (form) {
    case KeyForm::kInteger:
      return braid_bind_int64(link_.get(), index, read_integer(value.text).value_or(0));
    case KeyForm::kDouble:
      return braid_bind_double(link_.get(), index, read_double(value.text).value_or(0));
    case KeyForm::kText:
      break;
  }
  return braid_bind_text(link_.get(), index, value.text.data(),
                         static_cast<int64_t>(value.text.size()));
}

Done EdgeTarget::link(std::span<const ImportValue> values, const Found& from, const Found& to,
                      const std::string& properties) {
  if (values[*edge_key_].null) {
    return Failure{fmt::format("column \"{}\" is empty; with --edge-key every edge needs its key",
                               columns_[*edge_key_].name)};
  }
  auto bind_text = [this](int32_t index, const std::string& text) {
    return braid_bind_text(link_.get(), index, text.c_str(), static_cast<int64_t>(text.size()));
  };
  CLI_TRY(session_.check(bind_text(1, arguments_.from.label)));
  CLI_TRY(session_.check(bind_key(2, values[from_.column], from.form)));
  CLI_TRY(session_.check(bind_text(3, arguments_.name)));
  CLI_TRY(session_.check(bind_text(4, arguments_.to.label)));
  CLI_TRY(session_.check(bind_key(5, values[to_.column], to.form)));
  CLI_TRY(session_.check(bind_text(6, properties)));
  CLI_TRY(session_.check(bind_text(7, columns_[*edge_key_].name)));

  int64_t edge = 0;
  int32_t code = BRAID_ROW;
  while ((code = braid_statement_step(link_.get())) == BRAID_ROW) {
    edge = braid_column_int64(link_.get(), 0);
  }
  if (code != BRAID_DONE) return session_.failure(code);
  CLI_TRY(session_.check(braid_statement_reset(link_.get())));
  return check_linked(edge, from, to);
}

// graph_link finds ends by the label's own key, which need not be the one that --from and --to
// name; and a key that exists already belongs to an edge that can have other ends.
Done EdgeTarget::check_linked(int64_t edge, const Found& from, const Found& to) const {
  int64_t source = 0;
  int64_t target = 0;
  CLI_TRY(session_.check(
      braid_edge_read(session_.connection(), edge, &source, nullptr, &target, nullptr)));
  if (source == from.node && target == to.node) return std::nullopt;
  return Failure{fmt::format(
      "the {} edge with this {} connects other nodes than the line says; with --edge-key, KEY in "
      "--from and --to must be the label's own key (its bound table's key or first unique "
      "property)",
      arguments_.name, columns_[*edge_key_].name)};
}

}  // namespace braid::cli
