#include "cli/manual.h"

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace rowtrail::cli {
namespace {

struct Flag {
  std::vector<std::string> names;  // "--store", "-h"
  std::string about;
  std::vector<std::string> choices;
  bool takes_value = false;
};

/// A command with its path ("rules check"); the first one is rowtrail itself, with an empty path.
struct Entry {
  std::string path, name, about, example;
  std::vector<Flag> flags;
  std::vector<std::string> positionals;
  std::vector<const CLI::App*> children;
  const CLI::App* app = nullptr;
};

/// `TEXT:{a,b}` → a, b: how CLI11 shows what a value may be.
std::vector<std::string> choices_of(const std::string& type) {
  std::vector<std::string> choices;
  const auto begin = type.find('{'), end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return choices;
  std::string word;
  for (const char c : type.substr(begin + 1, end - begin - 1) + ",") {
    if (c != ',') {
      word += c;
      continue;
    }
    if (!word.empty()) choices.push_back(std::exchange(word, {}));
  }
  return choices;
}

void add_entries(const CLI::App& app, const std::string& path, std::vector<Entry>& entries) {
  Entry entry;
  entry.path = path;
  entry.name = app.get_name();
  entry.about = app.get_description();
  entry.app = &app;
  const std::string footer = app.get_footer();
  constexpr std::string_view kExample = "Example:\n  ";
  if (footer.starts_with(kExample)) entry.example = footer.substr(kExample.size());
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) {
      entry.positionals.push_back(option->get_name(true, false));
      continue;
    }
    Flag flag;
    for (const auto& name : option->get_lnames()) flag.names.push_back("--" + name);
    for (const auto& name : option->get_snames()) flag.names.push_back("-" + name);
    flag.about = option->get_description();
    flag.choices = choices_of(option->get_type_name());
    flag.takes_value = option->get_type_size() > 0;
    entry.flags.push_back(std::move(flag));
  }
  entry.children = app.get_subcommands([](const CLI::App*) { return true; });
  const auto children = entry.children;
  entries.push_back(std::move(entry));
  for (const CLI::App* child : children) {
    add_entries(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), entries);
  }
}

std::vector<Entry> entries_of(const CLI::App& app) {
  std::vector<Entry> entries;
  add_entries(app, "", entries);
  return entries;
}

std::string replaced(std::string text, char what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, 1, with);
  }
  return text;
}

// --- bash ---

/// "rules check" → "/rules/check".
std::string slashed(const std::string& path) {
  return path.empty() ? "" : "/" + replaced(path, ' ', "/");
}

/// A line of `case` for each name of a flag whose values are known.
std::string bash_values(std::string_view command, const Flag& flag) {
  std::string out;
  if (flag.choices.empty()) return out;
  for (const auto& name : flag.names) {
    out += fmt::format("    {}:{}) COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); return ;;\n",
                       command, name, fmt::join(flag.choices, " "));
  }
  return out;
}

std::string bash_script(const std::vector<Entry>& entries) {
  std::vector<std::string> paths;
  std::string values, words;
  for (const Entry& entry : entries) {
    const std::string path = slashed(entry.path);
    std::vector<std::string> commands, flags;
    for (const CLI::App* child : entry.children) commands.push_back(child->get_name());
    const auto add_names = [&flags](const Flag& flag) {
      for (const auto& name : flag.names) {
        if (std::find(flags.begin(), flags.end(), name) == flags.end()) flags.push_back(name);
      }
    };
    for (const Flag& flag : entry.flags) add_names(flag);
    for (const Flag& flag : entries.front().flags) add_names(flag);
    words += fmt::format("    \"{}\") commands=\"{}\" options=\"{}\" ;;\n", path,
                         fmt::join(commands, " "), fmt::join(flags, " "));
    if (path.empty()) continue;
    paths.push_back(path);
    for (const Flag& flag : entry.flags) values += bash_values(path, flag);
  }
  // What holds everywhere comes last, so that a command's own values win.
  for (const Flag& flag : entries.front().flags) values += bash_values("*", flag);
  return fmt::format(
      "# bash completion for rowtrail: rowtrail completion bash > /etc/bash_completion.d/rowtrail\n"
      "_rowtrail() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" previous=\"${{COMP_WORDS[COMP_CWORD-1]}}\"\n"
      "  local command=\"\" word commands=\"\" options=\"\"\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    case \"$command/$word\" in\n"
      "      {}) command=\"$command/$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$command:$previous\" in\n{}  esac\n"
      "  case \"$command\" in\n{}  esac\n"
      "  [[ \"$current\" != -* ]] || commands=\"$options\"\n"
      "  COMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))\n"
      "}}\n"
      "complete -o default -F _rowtrail rowtrail\n",
      fmt::join(paths, "|"), values, words);
}

// --- zsh ---

/// Within '…[about]:value:…' of _arguments.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out;
}

std::string zsh_flag(const Flag& flag) {
  std::string out;
  for (const auto& name : flag.names) {
    out += fmt::format("    '{}[{}]", name, zsh_text(flag.about));
    if (!flag.choices.empty()) {
      out += fmt::format(":value:({})", fmt::join(flag.choices, " "));
    } else if (flag.takes_value) {
      out += ":value:_files";
    }
    out += "' \\\n";
  }
  return out;
}

std::string zsh_name(const std::string& path) {
  return path.empty() ? "_rowtrail" : "_rowtrail_" + replaced(path, ' ', "_");
}

std::string zsh_script(const std::vector<Entry>& entries) {
  std::string out =
      "#compdef rowtrail\n# zsh completion: rowtrail completion zsh > a folder of $fpath, as "
      "_rowtrail\n";
  for (const Entry& entry : entries) {
    out += fmt::format("{}() {{\n", zsh_name(entry.path));
    if (!entry.children.empty()) {
      out += "  local context state state_descr line\n  typeset -A opt_args\n";
    }
    out += "  _arguments -C \\\n";
    for (const Flag& flag : entry.flags) out += zsh_flag(flag);
    if (&entry != &entries.front()) {
      for (const Flag& flag : entries.front().flags) {
        const bool own = std::any_of(entry.flags.begin(), entry.flags.end(),
                                     [&](const Flag& f) { return f.names == flag.names; });
        if (!own) out += zsh_flag(flag);
      }
    }
    if (entry.children.empty()) {
      out += "    '*:argument:_files'\n}\n";
      continue;
    }
    out +=
        "    '(-)1:command:->command' '(-)*::argument:->arguments'\n  case $state in\n"
        "    command)\n      local -a names=(\n";
    for (const CLI::App* child : entry.children) {
      out +=
          fmt::format("        '{}:{}'\n", child->get_name(), zsh_text(child->get_description()));
    }
    out += "      )\n      _describe command names ;;\n    arguments)\n      case $line[1] in\n";
    for (const CLI::App* child : entry.children) {
      const std::string path =
          entry.path.empty() ? child->get_name() : entry.path + " " + child->get_name();
      out += fmt::format("        {}) {} ;;\n", child->get_name(), zsh_name(path));
    }
    out += "      esac ;;\n  esac\n}\n";
  }
  return out + "_rowtrail \"$@\"\n";
}

// --- fish ---

std::string fish_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// When the words so far are those of the command, and of none below it.
std::string fish_condition(const Entry& entry) {
  if (entry.path.empty()) return "__fish_use_subcommand";
  std::string out = "__fish_seen_subcommand_from ";
  out += replaced(entry.path, ' ', "; and __fish_seen_subcommand_from ");
  if (entry.children.empty()) return out;
  out += "; and not __fish_seen_subcommand_from";
  for (const CLI::App* child : entry.children) out += " " + child->get_name();
  return out;
}

std::string fish_flag(const std::string& condition, const Flag& flag) {
  std::string out = "complete -c rowtrail";
  if (!condition.empty()) out += " -n " + fish_text(condition);
  for (const auto& name : flag.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!flag.choices.empty()) {
    out += fmt::format(" -x -a '{}'", fmt::join(flag.choices, " "));
  } else if (flag.takes_value) {
    out += " -r";
  }
  return out + " -d " + fish_text(flag.about) + "\n";
}

std::string fish_script(const std::vector<Entry>& entries) {
  std::string out =
      "# fish completion: rowtrail completion fish > ~/.config/fish/completions/rowtrail.fish\n";
  for (const Flag& flag : entries.front().flags) {
    std::string own;  // commands that have it differently
    for (const Entry& entry : entries) {
      const bool has = std::any_of(entry.flags.begin(), entry.flags.end(),
                                   [&](const Flag& f) { return f.names == flag.names; });
      if (has && !entry.path.empty() && entry.children.empty()) own += " " + entry.name;
    }
    out += fish_flag(own.empty() ? own : "not __fish_seen_subcommand_from" + own, flag);
  }
  for (const Entry& entry : entries) {
    const std::string condition = fish_condition(entry);
    for (const CLI::App* child : entry.children) {
      out += fmt::format("complete -c rowtrail -n {} -f -a {} -d {}\n", fish_text(condition),
                         child->get_name(), fish_text(child->get_description()));
    }
    if (&entry == &entries.front()) continue;
    for (const Flag& flag : entry.flags) out += fish_flag(condition, flag);
  }
  return out;
}

// --- man ---

std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  for (std::size_t at = 0; (at = out.find("\n", at)) != std::string::npos; ++at) {
    if (at + 1 < out.size() && (out[at + 1] == '.' || out[at + 1] == '\''))
      out.insert(at + 1, "\\&");
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string man_flag(const Flag& flag) {
  std::string out = ".TP\n";
  for (const auto& name : flag.names) {
    out += fmt::format("{}\\fB{}\\fR", out.ends_with('\n') ? "" : ", ", roff(name));
  }
  if (!flag.choices.empty()) {
    out += " \\fI" + roff(fmt::format("{}", fmt::join(flag.choices, "|"))) + "\\fR";
  } else if (flag.takes_value) {
    out += " \\fIVALUE\\fR";
  }
  return out + "\n" + roff(flag.about) + ".\n";
}

}  // namespace

std::string completion_script(const CLI::App& app, Shell shell) {
  const auto entries = entries_of(app);
  switch (shell) {
    case Shell::Bash:
      return bash_script(entries);
    case Shell::Zsh:
      return zsh_script(entries);
    case Shell::Fish:
      return fish_script(entries);
  }
  return {};
}

std::string man_page(const CLI::App& app) {
  const auto entries = entries_of(app);
  std::string out = fmt::format(
      ".TH ROWTRAIL 1 \"\" \"rowtrail {}\" \"User Commands\"\n.SH NAME\nrowtrail \\- {}\n"
      ".SH SYNOPSIS\n\\fBrowtrail\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n"
      "rowtrail joins MySQL or MariaDB as a read\\-only replica, decodes every committed row "
      "change, "
      "names the business event behind it, and keeps an append\\-only record to query and to "
      "prove.\n",
      ROWTRAIL_VERSION, roff(app.get_description().substr(app.get_description().find(": ") + 2)));
  out += ".SH OPTIONS\nThese go with every command.\n";
  for (const Flag& flag : entries.front().flags) out += man_flag(flag);
  out += ".SH COMMANDS\n";
  for (const Entry& entry : entries) {
    if (entry.path.empty() || !entry.children.empty()) continue;
    out += ".SS \"rowtrail " + roff(entry.path);
    for (const auto& name : entry.positionals) out += " " + roff(name);
    out += "\"\n" + roff(entry.about) + ".\n";
    for (const Flag& flag : entry.flags) {
      const bool help =
          std::find(flag.names.begin(), flag.names.end(), "--help") != flag.names.end();
      if (!help) out += man_flag(flag);
    }
    if (!entry.example.empty()) {
      out += ".PP\nExample:\n.PP\n.RS 4\n.nf\n" + roff(entry.example) + "\n.fi\n.RE\n";
    }
  }
  out +=
      ".SH EXIT STATUS\n"
      ".TP\n0\nDone.\n.TP\n1\nFound something wrong (doctor, rules test, verify), or nothing.\n"
      ".TP\n2\nThe command line or the configuration cannot be used.\n"
      ".TP\n3\nThe source cannot be reached or captured.\n.TP\n4\nThe store cannot be used.\n"
      ".SH ENVIRONMENT\n"
      ".TP\nROWTRAIL_SOURCE_PASSWORD\nThe source's password, where no file is given.\n"
      ".TP\nNO_COLOR\nNo colour on a terminal.\n"
      ".TP\nXDG_STATE_HOME, STATE_DIRECTORY\nWhere token and keys are kept.\n";
  return out;
}

}  // namespace rowtrail::cli
