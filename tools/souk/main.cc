#include "tools/souk/cli/command_line.h"
#include "tools/souk/verbs/verbs.h"

int main(int argc, char** argv) {
  return souk::cli::run_command_line(argc, argv, souk::cli::all_verbs());
}
