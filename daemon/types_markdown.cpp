#include "daemon/types_markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/connector.h"

namespace tidemark {
namespace {

constexpr std::string_view introduction = R"(# Types

Written by `scripts/dev docs` from the tables that run the jobs; `tidemark plan JOB` says the same of a job's own columns.

- **As** is the logical type, by which two databases agree. A type that has none is named after its database
  (`postgres:inet`): its values travel as the text that its own server prints, in the form of the last column.
- A cell under a database is the column that `target.create: auto` makes there, with what happens to the values. Nothing
  behind it: lossless and as one would expect. A column that exists already is judged by its own type, as `plan` shows.
- What arrives as text goes back to its own database unchanged where the column's `type` names it there:
  `columns: {address: {type: "postgres:inet"}}`.
- *lossy* needs the user's word: `lossy: allow`, or a `type` or `native_type` that fits. *impossible* needs another `type`
  (`text` holds everything) or `exclude`. A value that a column can't hold is an error that names table, column, kind and
  key hash; it is never cut, rounded or replaced.
)";

std::string_view title_of(std::string_view connector) {
  if (connector == "sqlite") return "SQLite";
  if (connector == "postgres") return "PostgreSQL";
  if (connector == "mysql") return "MariaDB and MySQL";
  return connector;
}

std::string cell_text(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, 1, '\\');
  return text;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : "`" + cell_text(std::string(text)) + "`";
}

/// Without what every column of the kind has behind its type: character set, comment.
std::string_view plain_type(std::string_view target_type) {
  return target_type.substr(
      0, std::min(target_type.find(" CHARACTER SET "), target_type.find(" COMMENT ")));
}

std::string verdict_text(const ColumnVerdict& verdict) {
  std::string text;
  if (verdict.fidelity == Fidelity::impossible) {
    text = "*impossible*: " + verdict.reason;
  } else {
    text = code(plain_type(verdict.target_type));
    if (verdict.fidelity == Fidelity::lossy) text += " *lossy*: " + verdict.reason;
  }
  if (verdict.fidelity == Fidelity::lossless && !verdict.reason.empty())
    text += ", " + verdict.reason;
  if (!verdict.note.empty()) text += ", " + verdict.note;
  return cell_text(std::move(text));
}

std::string section(const ConnectorInfo& source, const std::vector<ConnectorInfo>& targets) {
  std::string text = fmt::format("\n## {}\n\n| Type | As |", title_of(source.type));
  std::string rule = "|-|-|";
  for (const ConnectorInfo& target : targets) {
    text += fmt::format(" {} |", title_of(target.type));
    rule += "-|";
  }
  text += " Form |\n" + rule + "-|\n";
  for (const TypeSample& sample : source.types()) {
    text += fmt::format("| {} | {} |", code(sample.column.native_type),
                        code(to_string(sample.column.type)));
    for (const ConnectorInfo& target : targets)
      text += " " + verdict_text(target.holds(sample.column)) + " |";
    text += " " + cell_text(sample.canonical) + " |\n";
  }
  return text;
}

}  // namespace

std::string types_markdown() {
  std::vector<ConnectorInfo> targets;
  for (const ConnectorInfo& info : connectors())
    if (info.holds != nullptr) targets.push_back(info);
  std::string text(introduction);
  for (const ConnectorInfo& info : connectors())
    if (info.types != nullptr) text += section(info, targets);
  return text;
}

}  // namespace tidemark
