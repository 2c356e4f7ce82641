#pragma once

#include "core/connector.h"

namespace tidemark {

/// The entry of the generated list. `ConnectionSettings::database` names the database.
ConnectorInfo memory_connector();

}  // namespace tidemark
