#include "integration/type_cases.h"

namespace tidemark::test {

std::vector<TypeCase> type_cases(const std::string& source) {
  return source == "postgres"  ? postgres_type_cases()
         : source == "mariadb" ? mariadb_type_cases()
                               : sqlite_type_cases();
}

std::string type_setup(const std::string& source) {
  if (source != "postgres") return {};
  return "DROP TYPE IF EXISTS mood CASCADE; CREATE TYPE mood AS ENUM ('sad', 'it''s', '');\n"
         "DROP DOMAIN IF EXISTS positive CASCADE; CREATE DOMAIN positive AS integer CHECK (VALUE > "
         "0);\n"
         "DROP TYPE IF EXISTS pair CASCADE; CREATE TYPE pair AS (a integer, b text);\n";
}

std::vector<std::string> types_without_case(const std::string& source) {
  // Other spellings of types that have a case are those of SQLite.
  if (source == "postgres")
    return {// Its scale lies outside of what a logical decimal can be named with.
            "numeric(5,-2)",
            // They name objects of one database, as regtype does.
            "regclass", "regcollation", "regconfig", "regdictionary", "regnamespace", "regoper",
            "regoperator", "regproc", "regprocedure", "regrole", "aclitem"};
  return {};
}

}  // namespace tidemark::test
