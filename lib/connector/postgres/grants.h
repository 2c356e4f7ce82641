#pragma once

#include <string>
#include <vector>

#include "core/connector.h"
#include "core/settings.h"

namespace tidemark::postgres {

/// What a database administrator runs so that the connection's login can do what `needs` says and
/// no more. Connects to nothing.
std::vector<std::string> grant_statements(const ConnectionSettings& settings,
                                          const GrantNeeds& needs);

}  // namespace tidemark::postgres
