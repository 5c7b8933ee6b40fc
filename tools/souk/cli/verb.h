#pragma once
/// The command table: each verb is a row of plain data and one function. The command line, the help
/// and the shells' completions are made from it.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/souk/client/failure.h"
#include "tools/souk/client/url.h"

namespace souk::cli {

struct Argument {
  enum class Kind {
    positional,           // required, in order
    optional_positional,  // the last may be left out
    words,                // any number of them, the last
    option,               // --name VALUE
    repeated,             // --name VALUE, any number of times
    flag,                 // --name
  };
  std::string name;  // "sku", "quantity": without dashes
  std::string help;
  Kind kind = Kind::positional;
  std::string fallback = {};              // of an option that is not given; empty: none
  std::vector<std::string> choices = {};  // empty: any text
  char letter = 0;                        // of an option, as -o; 0: none
};

/// A positional that must be given.
Argument required(std::string name, std::string help);
Argument any_words(std::string name, std::string help);
Argument option(std::string name, std::string help, std::string fallback = {});
Argument flag(std::string name, std::string help);

/// How a verb should print.
enum class Format { table, json };

/// One call of a verb: what stood on the command line.
class Invocation {
 public:
  Url url;
  Format format = Format::table;
  std::string verb;  // its path
  std::map<std::string, std::vector<std::string>, std::less<>> values;

  bool has(std::string_view name) const { return values.find(name) != values.end(); }
  /// The value of an argument; empty where it was not given and has no fallback.
  const std::string& get(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  /// Of `words`: with blanks between them.
  std::string joined(std::string_view name) const;
  bool json() const { return format == Format::json; }
};

struct Verb {
  std::string path;     // "product put": one or two words, or three
  std::string summary;  // one line, no full stop
  std::vector<std::string> examples;
  std::vector<Argument> arguments;
  /// Errors: the message goes to stderr, its code becomes the exit code.
  Outcome<ExitCode> (*run)(const Invocation& invocation) = nullptr;
  std::string details = {};  // paragraphs for --help
};
using Verbs = std::vector<Verb>;

/// A whole number within the bounds, or a usage error that names the argument.
Outcome<std::int64_t> integer_argument(const Invocation& invocation, std::string_view name,
                                       std::int64_t least, std::int64_t most);

}  // namespace souk::cli
