#include <iostream>
#include <string>
#include <vector>

#include "tools/dynamoctl/commands.h"

int main(int argc, char** argv) {
  return dynamo::ctl::Run(std::vector<std::string>(argv + 1, argv + argc), std::cin, std::cout, std::cerr);
}
