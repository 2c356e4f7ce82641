# The reference connector: everything in this process, nothing to link.
set(connector_libraries)
