#pragma once

#include "core/connector.h"

namespace tidemark::fault {

/// The same connector whose sessions pass the moments: "source.horizon", "read" before each batch
/// and "read done" after it, "load.put", …; each call once before it (the name) and once after it
/// (the name and " done").
template <ConnectorInfo (*original)()>
ConnectorInfo wrapped();

/// A connector of the program with its sessions wrapped.
std::unique_ptr<Connector> wrap(std::unique_ptr<Connector> connector);

template <ConnectorInfo (*original)()>
ConnectorInfo wrapped() {
  ConnectorInfo info = original();
  info.make = [](const ConnectionSettings& settings, const ConnectorContext& context) {
    return wrap(original().make(settings, context));
  };
  return info;
}

}  // namespace tidemark::fault
