#include "tools/souk/cli/completions.h"

#include <map>
#include <set>

namespace souk::cli {
namespace {

bool is_option(const Argument& argument) {
  return argument.kind == Argument::Kind::option || argument.kind == Argument::Kind::repeated ||
         argument.kind == Argument::Kind::flag;
}

struct Word {
  std::string text, help;
  bool operator<(const Word& other) const { return text < other.text; }
};

/// What may come after each beginning of a command: "" -> product, ...; "product" -> put, ...;
/// "product put" -> --brand, ....
std::map<std::string, std::set<Word>> next_words(const Verbs& verbs) {
  std::map<std::string, std::set<Word>> next;
  next[""] = {{"--url", "The daemon to talk to"},
              {"--json", "Print the server's JSON"},
              {"--help", "Show help"},
              {"--version", "Show the version"}};
  for (const Verb& verb : verbs) {
    std::string before;
    for (std::size_t at = 0; at < verb.path.size();) {
      const std::size_t blank = std::min(verb.path.find(' ', at), verb.path.size());
      const bool last = blank == verb.path.size();
      next[before].insert({verb.path.substr(at, blank - at), last ? verb.summary : ""});
      before = verb.path.substr(0, blank);
      at = blank + 1;
    }
    std::set<Word>& words = next[verb.path];
    words.insert(
        {{"--help", "Show help"}, {"--json", "Print the server's JSON"}, {"--url", "The daemon"}});
    for (const Argument& argument : verb.arguments) {
      if (is_option(argument)) words.insert({"--" + argument.name, argument.help});
      for (const std::string& choice : argument.choices) words.insert({choice, argument.help});
    }
  }
  return next;
}

/// In single quotes, for all three shells.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

/// The words of the command line so far that are no options, joined; shared by bash and zsh.
std::string bash_script(const std::map<std::string, std::set<Word>>& next) {
  std::string out =
      "# bash completion for souk; use: source <(souk completions bash)\n"
      "_souk() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" words=\"\" word i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$word\" in --url) i=$((i + 1)); continue ;; -*) continue ;; esac\n"
      "    case \"${path:+$path }$word\" in\n      ";
  std::string paths;
  for (const auto& [path, words] : next)
    if (!path.empty()) paths += (paths.empty() ? "" : " | ") + in_quotes(path);
  out += paths + ") path=\"${path:+$path }$word\" ;;\n    esac\n  done\n  case \"$path\" in\n";
  for (const auto& [path, words] : next) {
    std::string list;
    for (const Word& word : words) list += (list.empty() ? "" : " ") + word.text;
    out += "    " + in_quotes(path) + ") words=" + in_quotes(list) + " ;;\n";
  }
  out +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  if [[ ${#COMPREPLY[@]} -eq 0 && $current != -* ]]; then COMPREPLY=($(compgen -f -- "
      "\"$current\")); fi\n"
      "}\n"
      "complete -o filenames -F _souk souk\n";
  return out;
}

std::string zsh_script(const std::map<std::string, std::set<Word>>& next) {
  std::string out =
      "#compdef souk\n# zsh completion for souk; use: source <(souk completions zsh)\n"
      "_souk() {\n"
      "  local path_so_far=\"\" word i\n  local -a words_now\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    word=\"${words[i]}\"\n"
      "    case \"$word\" in --url) i=$((i + 1)); continue ;; -*) continue ;; esac\n"
      "    case \"${path_so_far:+$path_so_far }$word\" in\n      ";
  std::string paths;
  for (const auto& [path, words] : next)
    if (!path.empty()) paths += (paths.empty() ? "" : " | ") + in_quotes(path);
  out += paths +
         ") path_so_far=\"${path_so_far:+$path_so_far }$word\" ;;\n    esac\n  done\n"
         "  case \"$path_so_far\" in\n";
  for (const auto& [path, words] : next) {
    out += "    " + in_quotes(path) + ") words_now=(";
    for (const Word& word : words) {
      std::string help;
      for (const char c : word.help) help += c == ':' ? std::string("\\:") : std::string(1, c);
      out += " " + in_quotes(word.text + (help.empty() ? "" : ":" + help));
    }
    out += " ) ;;\n";
  }
  out += "  esac\n  _describe 'souk' words_now || _files\n}\ncompdef _souk souk\n";
  return out;
}

std::string fish_script(const std::map<std::string, std::set<Word>>& next) {
  std::string out =
      "# fish completion for souk; use: souk completions fish | source\n"
      "function __souk_at\n"
      "  set -l path ''\n"
      "  set -l skip 0\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if test $skip = 1; set skip 0; continue; end\n"
      "    if test $word = '--url'; set skip 1; continue; end\n"
      "    if string match -q -- '-*' $word; continue; end\n"
      "    set -l longer (string trim \"$path $word\")\n"
      "    if contains -- $longer";
  for (const auto& [path, words] : next)
    if (!path.empty()) out += " " + in_quotes(path);
  out += "; set path $longer; end\n  end\n  test \"$path\" = \"$argv[1]\"\nend\n";
  for (const auto& [path, words] : next)
    for (const Word& word : words) {
      const std::string condition = " -n " + in_quotes("__souk_at \"" + path + "\"");
      const std::string what = word.text.starts_with("--") ? " -l " + in_quotes(word.text.substr(2))
                                                           : " -a " + in_quotes(word.text);
      out += "complete -c souk" + condition + what +
             (word.help.empty() ? "" : " -d " + in_quotes(word.help)) + "\n";
    }
  return out;
}

}  // namespace

std::string completions(const Verbs& verbs, Shell shell) {
  const auto next = next_words(verbs);
  switch (shell) {
    case Shell::bash:
      return bash_script(next);
    case Shell::zsh:
      return zsh_script(next);
    case Shell::fish:
      return fish_script(next);
  }
  return {};
}

}  // namespace souk::cli
