#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/horizon.h"
#include "core/settings.h"
#include "core/target.h"
#include "core/zones.h"
#include "sync/connections.h"

namespace tidemark {

/// What will happen to one column on its way.
struct ColumnPath {
  std::string source_column;
  std::string source_type;  ///< as the source writes it
  std::string column;       ///< at the target
  std::string logical_type;
  std::string target_type;              ///< as the target writes it
  std::vector<std::string> steps = {};  ///< transforms in order: "trim both", "type varchar(32)"
  Fidelity fidelity = Fidelity::lossless;
  std::string reason = {};
  std::string note = {};  ///< how the target holds it: "as text: …"
};

/// All that can be known about a job before it runs.
struct CheckReport {
  JobName job;
  std::vector<std::string> problems = {};  ///< empty: the job can run
  std::vector<std::string> warnings = {};
  std::vector<std::string> notes = {};
  std::optional<ProofKind> proof = {};
  std::string proof_text = {};
  std::vector<ColumnPath> columns = {};
  std::string read_path = {};                   ///< how rows leave the source
  WritePath write_path = {};                    ///< how they go into the target
  std::vector<std::string> statements = {};     ///< DDL that the first run would execute
  std::vector<std::string> source_grants = {};  ///< what a DBA would run
  std::vector<std::string> target_grants = {};
  /// The stored checkpoint belongs to another definition: the job would halt.
  bool definition_changed = false;
  std::string checkpoint = {};  ///< "none", or where it stands
  bool connected = false;       ///< false: the databases could not be asked; see problems
};

struct CheckPorts {
  Connections& connections;
  const Zones& zones;
  std::string instance = "default";
};

/// Asks both databases and changes nothing. Reports a database that is away as a problem. Throws
/// Cancelled only.
CheckReport check_job(const std::shared_ptr<const JobSettings>& job, const CheckPorts& ports,
                      const std::stop_token& stop = {});

}  // namespace tidemark
