// The command line described for others, from the command table alone: completion scripts for
// shells, and the manual page.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace rowtrail::cli {

enum class Shell : std::uint8_t { Bash, Zsh, Fish };

/// A script for the shell's completion folder.
[[nodiscard]] std::string completion_script(const CLI::App& app, Shell shell);
/// rowtrail(1), in man's macros.
[[nodiscard]] std::string man_page(const CLI::App& app);

}  // namespace rowtrail::cli
