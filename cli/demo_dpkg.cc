#include "cli/demo_dpkg.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

namespace braid::cli::demo {
namespace {

using Stanza = std::map<std::string, std::string>;

// One alternative of a dependency: "debconf (>= 0.5)".
struct Choice {
  std::string name;
  std::string constraint;
};

std::string_view trimmed(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\n");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t\n") - start + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = trimmed(text.substr(0, end));
    if (!part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "libc6:any (>= 2.36)" -> {"libc6", ">= 2.36"}.
Choice parse_choice(std::string_view text) {
  Choice choice;
  choice.name = text.substr(0, text.find_first_of(" :(["));
  const size_t open = text.find('(');
  const size_t close = text.find(')');
  if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
    choice.constraint = trimmed(text.substr(open + 1, close - open - 1));
  }
  return choice;
}

// Stanzas are separated by empty lines; a line that begins with white space continues the field
// before it.
std::vector<Stanza> read_stanzas(const std::string& path) {
  std::vector<Stanza> stanzas;
  std::ifstream file(path);
  Stanza stanza;
  std::string field;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) {
      if (!stanza.empty()) stanzas.push_back(std::move(stanza));
      stanza.clear();
      field.clear();
    } else if (line[0] == ' ' || line[0] == '\t') {
      if (!field.empty()) stanza[field] += "\n" + line;
    } else if (const size_t colon = line.find(':'); colon != std::string::npos) {
      field = line.substr(0, colon);
      stanza[field] = trimmed(std::string_view(line).substr(colon + 1));
    }
  }
  if (!stanza.empty()) stanzas.push_back(std::move(stanza));
  return stanzas;
}

bool is_installed(Stanza& stanza) {
  const std::string& status = stanza["Status"];
  return status.ends_with(" installed") && !stanza["Package"].empty();
}

Item item_of(Stanza& stanza, const std::string& name) {
  const std::string& description = stanza["Description"];
  return Item{.name = name,
              .version = stanza["Version"],
              .group = stanza["Section"],
              .owner = stanza["Maintainer"],
              .summary = description.substr(0, description.find('\n')),
              .size_kib = parse_int64(stanza["Installed-Size"])};
}

// Turns names into edges: knows which packages are here and who provides what.
class Resolver {
 public:
  explicit Resolver(Inventory* inventory) : inventory_(inventory) {
    for (const Item& item : inventory->items) packages_.insert(item.name);
  }

  void add_provider(const std::string& package, const std::string& provides) {
    for (std::string_view text : split(provides, ',')) {
      const std::string name = parse_choice(text).name;
      if (!providers_[name].insert(package).second || packages_.contains(name)) continue;
      if (virtuals_.insert(name).second) inventory_->virtuals.push_back(name);
      inventory_->edges.push_back(
          Edge{.from = package, .type = "PROVIDES", .to = name, .to_virtual = true});
    }
  }

  void add_needs(const std::string& package, const std::string& type, const std::string& needs) {
    for (std::string_view group : split(needs, ',')) add_need(package, type, group);
  }

 private:
  // One edge for each alternative that is here.
  void add_need(const std::string& package, const std::string& type, std::string_view group) {
    std::vector<Choice> choices;
    std::set<std::string> satisfying;
    for (std::string_view text : split(group, '|')) {
      const Choice& choice = choices.emplace_back(parse_choice(text));
      if (packages_.contains(choice.name)) satisfying.insert(choice.name);
      const auto found = providers_.find(choice.name);
      if (found != providers_.end()) satisfying.insert(found->second.begin(), found->second.end());
    }
    for (const Choice& choice : choices) {
      if (!packages_.contains(choice.name) && !virtuals_.contains(choice.name)) {
        ++inventory_->edges_absent;
        continue;
      }
      inventory_->edges.push_back(
          Edge{.from = package,
               .type = type,
               .to = choice.name,
               .to_virtual = !packages_.contains(choice.name),
               .choices = static_cast<int64_t>(satisfying.size()),
               .constraint = choice.constraint,
               .alternatives = choices.size() > 1 ? std::string(group) : ""});
    }
  }

  Inventory* inventory_;
  std::set<std::string> packages_;
  std::set<std::string> virtuals_;
  std::map<std::string, std::set<std::string>> providers_;
};

// "2025-06-24 14:36:25" in local time, as dpkg writes it.
std::optional<int64_t> parse_local_time(const std::string& text) {
  std::tm fields{};
  const char* end = strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &fields);
  if (end == nullptr) return std::nullopt;
  fields.tm_isdst = -1;
  const std::time_t seconds = std::mktime(&fields);
  if (seconds == -1) return std::nullopt;
  return static_cast<int64_t>(seconds) * 1'000'000;
}

// "DATE TIME upgrade NAME:ARCH OLD NEW", "DATE TIME status STATE NAME:ARCH VERSION"; other lines
// name no package.
std::optional<Event> parse_event(const std::string& line) {
  const std::vector<std::string_view> words = split(line, ' ');
  if (words.size() < 5) return std::nullopt;
  static const std::set<std::string_view> kActions = {"install", "upgrade",   "remove",
                                                      "purge",   "configure", "trigproc"};
  const bool is_status = words[2] == "status";
  if (!is_status && !kActions.contains(words[2])) return std::nullopt;
  const std::optional<int64_t> time = parse_local_time(line);
  if (!time) return std::nullopt;
  const std::string_view package = words[is_status ? 4 : 3];
  const std::string_view version =
      words.back() == "<none>" ? words[words.size() - 2] : words.back();
  return Event{.time = *time,
               .item = std::string(package.substr(0, package.find(':'))),
               .action = std::string(is_status ? words[3] : words[2]),
               .detail = std::string(version)};
}

void read_log(const std::string& path, std::vector<Event>* events) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (std::optional<Event> event = parse_event(line)) events->push_back(*std::move(event));
  }
}

// dpkg writes whole seconds. Lines of one second get successive microseconds, so that each stays a
// point of its own and their order is kept.
void tell_apart(std::vector<Event>* events) {
  std::stable_sort(events->begin(), events->end(),
                   [](const Event& a, const Event& b) { return a.time < b.time; });
  int64_t second = 0;
  int64_t within = 0;
  for (Event& event : *events) {
    within = event.time == second ? within + 1 : 0;
    second = event.time;
    event.time += within;
  }
}

Wording dpkg_wording(const std::string& status_path) {
  return Wording{.items = "packages",
                 .label = "Package",
                 .version_column = "version",
                 .group_column = "section",
                 .owner_column = "maintainer",
                 .events = "package_events",
                 .tag = "package",
                 .detail_column = "version",
                 .need = "DEPENDS_ON",
                 .direct_need = "DEPENDS_ON",
                 .needs_sql = "'DEPENDS_ON', 'PRE_DEPENDS_ON'",
                 .origin = status_path};
}

}  // namespace

std::optional<Inventory> read_dpkg(const std::string& status_path,
                                   const std::vector<std::string>& log_paths) {
  Inventory inventory{.wording = dpkg_wording(status_path)};
  std::vector<std::pair<std::string, Stanza>> installed;
  std::set<std::string> names;
  for (Stanza& stanza : read_stanzas(status_path)) {
    if (!is_installed(stanza)) continue;
    std::string name = stanza["Package"];
    // One package may be installed for several architectures; the first one has the plain name.
    if (names.contains(name)) name = fmt::format("{}:{}", name, stanza["Architecture"]);
    if (!names.insert(name).second) continue;
    inventory.items.push_back(item_of(stanza, name));
    installed.emplace_back(name, std::move(stanza));
  }
  if (inventory.items.empty()) return std::nullopt;
  Resolver resolver(&inventory);
  for (auto& [name, stanza] : installed) resolver.add_provider(name, stanza["Provides"]);
  for (auto& [name, stanza] : installed) {
    resolver.add_needs(name, "PRE_DEPENDS_ON", stanza["Pre-Depends"]);
    resolver.add_needs(name, "DEPENDS_ON", stanza["Depends"]);
    resolver.add_needs(name, "RECOMMENDS", stanza["Recommends"]);
  }
  for (const std::string& path : log_paths) read_log(path, &inventory.events);
  tell_apart(&inventory.events);
  return inventory;
}

}  // namespace braid::cli::demo
