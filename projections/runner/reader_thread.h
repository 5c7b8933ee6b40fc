#pragma once
#include <string>
#include <string_view>

namespace souk {

/// Readers give way to those who write; their threads have names that `top -H` shows.
void begin_thread(std::string_view work, const std::string& projection);

}  // namespace souk
