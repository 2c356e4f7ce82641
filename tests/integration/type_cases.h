#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace tidemark::test {

/// One column type of a source and the values that it must carry, as literals of its own SQL.
struct TypeCase {
  std::string column;
  std::string ddl;
  std::vector<std::string> edges;
  /// One more literal each time; nullptr: the edges say it all.
  std::function<std::string(std::mt19937_64&)> random = nullptr;

  /// A value that a kind of target can't hold: it must be a located error there.
  struct Refused {
    std::string target;
    std::string literal;
  };
  std::vector<Refused> refused = {};
  /// Values that a kind of target keeps in another form, which its verdict says.
  std::vector<Refused> left_out = {};
  /// Targets for which `plan` asks for the user's word about this type.
  std::vector<std::string> asks = {};
  /// SQL that shows every bit of the value, "@" for the column; "": the database's usual one.
  std::string form = {};
  /// The way back needs `lossy: allow`, because the type does not show that it comes from here.
  bool word = false;
};

std::vector<TypeCase> postgres_type_cases();
std::vector<TypeCase> mariadb_type_cases();
std::vector<TypeCase> sqlite_type_cases();
/// All types of a source ("sqlite", "postgres", "mariadb"): add a type by adding a line there.
std::vector<TypeCase> type_cases(const std::string& source);
/// Statements that the types of a source need, run once before its tables are made.
std::string type_setup(const std::string& source);
/// Types that ConnectorInfo::types lists and no case carries, each for a reason.
std::vector<std::string> types_without_case(const std::string& source);

}  // namespace tidemark::test
