#pragma once

#include <string>
#include <vector>

#include "connector/postgres/catalogue.h"
#include "connector/postgres/connection.h"
#include "core/target.h"

namespace tidemark::postgres {

/// What stands around a target table and acts on what is written to it.
struct Surroundings {
  std::vector<std::string> problems = {};  ///< each with place and remedy
  std::vector<std::string> notes = {};
  bool deferrable = false;
  /// A foreign key of a table that acts on its rows when rows of ours are deleted; "" for none.
  std::string acts_on_delete = {};
};

Surroundings look_around(Connection& connection, const TableFacts& facts, const WriteSpec& spec);

}  // namespace tidemark::postgres
