#include "cli/cli.h"

int main(int argc, char** argv) {
  return rowtrail::cli::run(argc, argv);
}
