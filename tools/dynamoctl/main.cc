#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "tools/dynamoctl/commands.h"

int main(int argc, char** argv) {
  // A node that closes a connection is an error to report, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  return dynamo::ctl::Run(std::vector<std::string>(argv + 1, argv + argc), std::cin, std::cout, std::cerr);
}
