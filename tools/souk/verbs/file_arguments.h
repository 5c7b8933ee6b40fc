#pragma once
/// What the verbs that read files have in common.
#include <string>
#include <vector>

#include "tools/souk/cli/verb.h"
#include "tools/souk/import/retail_data.h"

namespace souk::cli {

inline constexpr std::size_t file_bytes_max = std::size_t{2} * 1024 * 1024 * 1024;

/// All of a file, decompressed. Errors: refused, with the name; more than file_bytes_max.
Outcome<std::string> read_whole_file(const std::string& name);

/// `--map NAME=COLUMN`, repeated or with commas between: `name=Title,price="Regular price"`.
Outcome<std::map<std::string, std::string>> map_argument(const Invocation& invocation);
/// `--delimiter`: one of , ; | or tab; 0: not given.
Outcome<char> delimiter_argument(const Invocation& invocation);
/// `--decimal`: . or ,; 0: not given.
Outcome<char> decimal_argument(const Invocation& invocation);

Argument map_option();
Argument delimiter_option();
Argument encoding_option();
Argument decimal_option();

/// On standard error, a line each: `souk: line 3 rejected: why`; beyond the first thousand only how
/// many there are.
void report_lines(const std::vector<Rejection>& lines, const char* what);

}  // namespace souk::cli
