#include "connector/postgres/surroundings.h"

#include <algorithm>

#include "connector/postgres/dialect.h"

namespace tidemark::postgres {
namespace {

class Look {
 public:
  Look(Connection& connection, const TableFacts& facts, const WriteSpec& spec)
      : connection_(connection),
        facts_(facts),
        spec_(spec),
        oid_(std::to_string(facts.oid)),
        place_("target " + spec.table.display()) {}

  Surroundings look() {
    triggers();
    rules();
    constraints();
    collations();
    sequences();
    return std::move(found_);
  }

 private:
  void note(const std::string& text) { found_.notes.push_back(place_ + text); }

  void triggers() {
    // tgtype: 1 row, 2 before.
    for (const Row trigger :
         connection_.query("SELECT tgname, (tgtype & 3) = 3 FROM pg_trigger WHERE NOT tgisinternal "
                           "AND tgenabled IN ('O', 'A') AND tgrelid = " +
                           oid_ + " ORDER BY 1"))
      note(": trigger " + std::string(trigger[0].c_str()) +
           (trigger[1].as<bool>() ? " sees each row first and may change what is written"
                                  : " fires for what is written"));
  }

  void rules() {
    for (const Row rule :
         connection_.query("SELECT rulename FROM pg_rewrite WHERE ev_type <> '1' AND ev_enabled IN "
                           "('O', 'A') AND ev_class = " +
                           oid_ + " ORDER BY 1")) {
      const std::string name = rule[0].c_str();
      if (spec_.write == WriteMode::append)
        note(": rule " + name + " does not see what is appended, which comes by COPY");
      else
        found_.problems.push_back(place_ + ": rule " + name +
                                  " rewrites the statements that would write it: drop it, or make "
                                  "a trigger of it");
    }
  }

  void constraints() {
    const Rows rows = connection_.query(
        "SELECT EXISTS (SELECT 1 FROM pg_constraint WHERE condeferrable AND contype <> 't' AND "
        "conrelid = " +
        oid_ +
        "), (SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a' AND "
        "confrelid = " +
        oid_ + " ORDER BY 1 LIMIT 1), row_security_active(" + oid_ + "::oid)");
    found_.deferrable = rows[0][0].as<bool>();
    found_.acts_on_delete = rows[0][1].c_str();
    if (rows[0][2].as<bool>())
      note(": row-level security decides which rows this login sees and may write");
  }

  /// Keys that differ by their bytes and are equal there would be merged.
  void collations() {
    if (spec_.key.empty()) return;
    for (const Row row : connection_.query(
             "SELECT a.attname, c.collname FROM pg_attribute a JOIN pg_collation c ON c.oid = "
             "a.attcollation WHERE NOT c.collisdeterministic AND a.attrelid = " +
             oid_ + " ORDER BY a.attnum")) {
      const std::string column = row[0].c_str();
      if (std::find(spec_.key.begin(), spec_.key.end(), column) == spec_.key.end()) continue;
      found_.problems.push_back(place_ + ", column " + column + ": its collation " +
                                row[1].c_str() +
                                " takes different texts for one key, so that rows would be merged: "
                                "give the column a deterministic one, such as COLLATE \"C\"");
    }
  }

  void sequences() {
    for (const TableColumn& column : facts_.columns) {
      const bool counted =
          column.identity != '\0' || column.default_expression.starts_with("nextval(");
      const bool written =
          std::any_of(spec_.columns.begin(), spec_.columns.end(),
                      [&](const TargetColumn& one) { return one.column.name == column.name; });
      if (counted && written)
        note(", column " + column.name +
             ": its sequence does not follow the values that are written; who inserts rows there "
             "besides must set it");
    }
  }

  Connection& connection_;
  const TableFacts& facts_;
  const WriteSpec& spec_;
  std::string oid_;
  std::string place_;
  Surroundings found_;
};

}  // namespace

Surroundings look_around(Connection& connection, const TableFacts& facts, const WriteSpec& spec) {
  return Look(connection, facts, spec).look();
}

}  // namespace tidemark::postgres
