#include "daemon/command/command.h"

int main(int argc, char** argv) {
  return tidemark::run_program(argc, argv);
}
