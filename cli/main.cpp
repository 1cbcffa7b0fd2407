#include "cli/authorities.h"
#include "cli/cli.h"

int main(int argc, char** argv) {
  rowtrail::cli::find_authorities();
  return rowtrail::cli::run(argc, argv);
}
