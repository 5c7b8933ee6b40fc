#pragma once
#include "gateway/api/batch/batch.h"
#include "schema/api.capnp.h"

namespace souk {

/// Fills `out` from one command of a Cap'n Proto batch, by the same tables and checks as JSON. Its
/// texts point into the message. `reader`: for the JSON of an address.
/// Errors: as a line of JSON; throws kj::Exception where the message itself is broken.
bool read_capnp_command(schema::Command::Reader command, CommandReader& reader, BatchCommand& out,
                        Problem& problem);

}  // namespace souk
