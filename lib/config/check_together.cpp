// What only several parts of the configuration together can tell.
#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <utility>
#include <vector>

#include "config/build.h"
#include "config/near_miss.h"

namespace tidemark::config {
namespace {

/// A table as such, whichever connection names it: two connections may lead to one database.
struct Whereabouts {
  std::string server;
  std::string schema;
  std::string table;
  friend auto operator<=>(const Whereabouts&, const Whereabouts&) = default;
};

std::string server_of(const ConnectionSettings& connection) {
  if (connection.type == "sqlite")
    return "sqlite:" + std::filesystem::path(connection.path).lexically_normal().string();
  const std::uint16_t usual = connection.type == "postgres" ? 5432 : 3306;
  const std::uint16_t port = connection.port == 0 ? usual : connection.port;
  std::string server = connection.type + "://";
  server += connection.unix_socket.empty() ? connection.host + ":" + std::to_string(port)
                                           : connection.unix_socket;
  if (connection.type == "postgres") server += "/" + connection.database;
  return server;
}

Whereabouts locate(const ConnectionSettings& connection, const TableName& table) {
  std::string schema = table.schema;
  if (schema.empty() && connection.type == "postgres") schema = "public";
  if (schema.empty() && connection.type == "mysql") schema = connection.database;
  if (schema.empty() && connection.type == "sqlite") schema = "main";
  return {.server = server_of(connection), .schema = std::move(schema), .table = table.name};
}

/// No row can be in both: one column has different constants.
bool disjoint(const JobSettings& left, const JobSettings& right) {
  return std::any_of(left.scope.begin(), left.scope.end(), [&](const auto& constant) {
    const auto found = right.scope.find(constant.first);
    return found != right.scope.end() && found->second != constant.second;
  });
}

constexpr std::string_view cursor_placeholder = "{{cursor}}";

/// Names in double braces that are no {{cursor}}: a misspelling, or a wish.
std::vector<std::string> other_placeholders(const std::string& query) {
  static const std::regex placeholder(R"(\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\})");
  std::vector<std::string> names;
  for (std::sregex_iterator match(query.begin(), query.end(), placeholder), end; match != end;
       ++match)
    if (match->str() != cursor_placeholder) names.push_back(match->str());
  return names;
}

class Checker {
 public:
  Checker(const Settings& settings, const Item& root, const Building& building)
      : settings_(settings), root_(root), building_(building) {}

  void run() {
    for (const Item& connection : root_["connections"].children)
      check_primary(connection);
    for (const Item& job : root_["jobs"].children)
      check_job(job);
    check_shared_tables();
    for (const Item& job : root_["jobs"].children)
      follow(job);
    if (root_["jobs"].children.empty() && !building_.report.has_errors())
      building_.report.warning({.file = 0}, {"jobs", "there are no jobs"});
  }

 private:
  const ConnectionSettings* connection(const Item& item) const {
    const auto found = settings_.connections.find(ConnectionName(item.text));
    return item.usable() && found != settings_.connections.end() ? &found->second : nullptr;
  }
  const JobSettings& job_of(const Item& item) const {
    return settings_.jobs.at(JobName(item.name));
  }

  std::vector<std::string> names(std::string_view section) const {
    std::vector<std::string> all;
    for (const Item& item : root_[section].children)
      all.push_back(item.name);
    return all;
  }

  void check_connection(const Item& item) const {
    if (!item.usable() || connection(item) != nullptr) return;
    const std::vector<std::string> known = names("connections");
    std::string hint = did_you_mean(item.text, known);
    if (hint.empty() && known.size() <= 8) {
      for (const std::string& name : known)
        hint += (hint.empty() ? "" : ", ") + name;
      hint = known.empty() ? "there are no connections" : "there are: " + hint;
    }
    building_.error(item, "no connection is named \"" + item.text + "\"", hint);
  }

  void check_primary(const Item& item) const {
    const Item& primary = item["primary"];
    check_connection(primary);
    const ConnectionSettings* other = connection(primary);
    if (other == nullptr) return;
    const ConnectionSettings& self = settings_.connections.at(ConnectionName(item.name));
    if (other == &self)
      building_.error(primary, "a connection is not its own primary");
    else if (other->type != self.type && !other->type.empty() && !self.type.empty())
      building_.error(primary, "\"" + primary.text + "\" is of type " + other->type +
                                   ", this connection of type " + self.type);
    else if (other->primary)
      building_.error(primary, "\"" + primary.text + "\" is a replica itself");
  }

  void check_job(const Item& item) const {
    const JobSettings& job = job_of(item);
    const Item& source = item["source"];
    const Item& target = item["target"];
    check_connection(source["connection"]);
    check_connection(target["connection"]);
    const ConnectionSettings* from = connection(source["connection"]);
    const ConnectionSettings* to = connection(target["connection"]);
    if (to != nullptr && to->access == Access::read)
      building_.error(target["connection"], "\"" + to->name.text + "\" is read-only: access read",
                      "another connection, or access: write there");
    if (from != nullptr && to != nullptr && job.source_table && target["table"].usable() &&
        locate(*from, *job.source_table) == locate(*to, job.target_table))
      building_.error(target["table"], "a job can't write the table that it reads");
    check_texts(item, job, from == nullptr ? "" : from->type);
    check_append(item, job);
    const Item& bytes = item["batch"]["bytes"];
    if (bytes.usable() && bytes.given() && root_["daemon"]["memory"].usable() &&
        job.batch_bytes > settings_.daemon.memory / 2)
      building_.error(bytes, "a batch may be half of daemon.memory at most, and " + bytes.text +
                                 " is more than half of " + root_["daemon"]["memory"].text);
  }

  void check_texts(const Item& item, const JobSettings& job, const std::string& type) const {
    const Item& where = item["source"]["where"];
    if (job.source_where && job.source_where->find(cursor_placeholder) != std::string::npos)
      building_.error(where, "{{cursor}} has no place in a table's where",
                      "the range is added by itself");
    if (!job.source_query) return;
    const Item& query = item["source"]["query"];
    const bool has_cursor = job.source_query->find(cursor_placeholder) != std::string::npos;
    if (has_cursor && job.mode == Mode::full && item["mode"].usable())
      building_.error(query, "{{cursor}} needs mode incremental");
    for (const std::string& name : other_placeholders(*job.source_query))
      building_.error(query, name + " is not known", "only {{cursor}} is");
    if (!building_.options.check_query || type.empty()) return;
    if (const auto wrong = building_.options.check_query(type, *job.source_query))
      building_.error(query, wrong->message, wrong->hint);
  }

  void check_append(const Item& item, const JobSettings& job) const {
    if (!job.cursor || job.write != WriteMode::append) return;
    const bool again = job.cursor->safety == Safety::lookback || job.cursor->lookback_count > 0U ||
                       job.cursor->lookback > Duration::zero();
    if (!again) return;
    const Item& write = item["target"]["write"];
    if (job.key.empty() && job.source_query)
      building_.error(write, "a lookback reads rows again, and append without a key doubles them",
                      "give a key, or upsert");
    else
      building_.warning(write,
                        "a lookback reads rows again: append needs a unique key on the target, "
                        "and rows it knows are left out");
  }

  void check_shared_tables() const {
    std::map<Whereabouts, std::vector<const Item*>> writers;
    for (const Item& item : root_["jobs"].children) {
      const ConnectionSettings* to = connection(item["target"]["connection"]);
      if (to == nullptr || !item["target"]["table"].usable()) continue;
      const JobSettings& job = job_of(item);
      std::vector<const Item*>& others = writers[locate(*to, job.target_table)];
      for (const Item* other : others) {
        if (disjoint(job, job_of(*other))) continue;
        building_.error(item["target"]["table"],
                        "the job \"" + other->name + "\" writes this table too",
                        "give both a target.scope with different constants for one column");
        break;
      }
      others.push_back(&item);
    }
  }

  /// Walks `after` from a job; each cycle is reported once, at the job it was entered by.
  void follow(const Item& item) {
    if (done_.contains(item.name)) return;
    path_.push_back(item.name);
    for (const Item& after : item["schedule"]["after"].children) {
      if (!after.usable()) continue;
      const Item* other = root_["jobs"].find(after.text);
      if (other == nullptr) {
        building_.error(after, "no job is named \"" + after.text + "\"",
                        did_you_mean(after.text, names("jobs")));
        continue;
      }
      const auto start = std::find(path_.begin(), path_.end(), after.text);
      if (start != path_.end()) {
        report_cycle(start);
        continue;
      }
      if (!job_of(*other).enabled)
        building_.warning(after, "\"" + after.text + "\" is not enabled, so this job never runs");
      follow(*other);
    }
    path_.pop_back();
    done_.insert(item.name);
  }

  void report_cycle(std::vector<std::string>::const_iterator start) const {
    std::string chain;
    for (auto name = start; name != path_.end(); ++name)
      chain += *name + " after ";
    const Item& first = *root_["jobs"].find(*start);
    building_.error(first["schedule"]["after"], "waits for itself: " + chain + *start);
  }

  const Settings& settings_;
  const Item& root_;
  const Building& building_;
  std::vector<std::string> path_;
  std::set<std::string> done_;
};

}  // namespace

void check_together(const Settings& settings, const Item& root, const Building& building) {
  Checker(settings, root, building).run();
}

}  // namespace tidemark::config
