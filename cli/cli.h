// The commands, and the composition of everything below. The public header of cli/.
#pragma once

namespace rowtrail::cli {

/// Parses argv, runs one command and returns the exit code: 0 done, 1 found something wrong, 2
/// usage, 3 source, 4 store.
int run(int argc, char** argv);

}  // namespace rowtrail::cli
