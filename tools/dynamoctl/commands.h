// dynamoctl's commands, apart from main so that tests can run them.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_COMMANDS_H_
#define DYNAMO_TOOLS_DYNAMOCTL_COMMANDS_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace dynamo::ctl {

// Exit codes: 0 done, 1 it failed (the message says what and what to do), 2 the
// command line is wrong.
int Run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_COMMANDS_H_
