#pragma once
/// Commands of clients on users.
#include "actors/shard/user_processes.h"

namespace souk {

/// REQUIRES: admitted. `request` is moved from where it waits for an address or a key.
void user_command(Desk& desk, UserProcesses& users, Request& request);

}  // namespace souk
