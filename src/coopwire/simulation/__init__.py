"""The kernel of the simulators: a provider's real wire format over HTTP, with state, a record and faults."""
