// Commands of the system, as a person would type them.
#ifndef DYNAMO_TESTS_CHAOS_COMMAND_H_
#define DYNAMO_TESTS_CHAOS_COMMAND_H_

#include <string>

#include "common/base/result.h"

namespace dynamo::chaos {

// Runs a line of the shell; what it printed. kInternal: it ended with another code
// than 0; the message is the line and what it printed.
Result<std::string> Shell(const std::string& line);
// The same, where only its success matters.
Status Execute(const std::string& line);

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_COMMAND_H_
