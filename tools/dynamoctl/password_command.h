// hash-password: what stands in a node's file of users.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_PASSWORD_COMMAND_H_
#define DYNAMO_TOOLS_DYNAMOCTL_PASSWORD_COMMAND_H_

#include <functional>

#include "common/base/result.h"
#include "tools/dynamoctl/settings.h"

namespace CLI {
class App;
}  // namespace CLI

namespace dynamo::ctl {

// As AddClusterCommands.
void AddPasswordCommand(CLI::App& app, const Settings* settings, std::function<Status()>* chosen);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_PASSWORD_COMMAND_H_
