#pragma once
#include <string_view>

namespace souk {

/// Whether only this machine can reach who listens on `address` (ADDRESS:PORT). Names but `localhost`
/// are not looked up.
inline bool is_loopback(std::string_view address) {
  const std::string_view host = address.substr(0, address.rfind(':'));
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace souk
