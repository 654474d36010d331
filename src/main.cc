#include <cstdio>
#include <cstdlib>

#include "gateway/commands.h"

int main(int argc, char** argv) { return sluice::run_command_line(argc, argv); }
