#pragma once
/// Tests that could not run here. Each is counted: CI fails when this machine could have run it
/// (tools/checks/skips.py, which knows every need).
#include <string_view>

namespace souk::test {

/// Says that the running test case is left out, since the machine lacks `need`: a word that
/// tools/checks/skips.py knows. A line of the file that SOUK_SKIPS names, and a message.
void skipped(std::string_view need, std::string_view why);

}  // namespace souk::test
