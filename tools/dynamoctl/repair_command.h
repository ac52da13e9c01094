// dynamoctl repair: compares what a node holds with the other owners.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_REPAIR_COMMAND_H_
#define DYNAMO_TOOLS_DYNAMOCTL_REPAIR_COMMAND_H_

#include <functional>

#include "common/base/result.h"
#include "tools/dynamoctl/settings.h"

namespace CLI {
class App;
}  // namespace CLI

namespace dynamo::ctl {

// As AddClusterCommands.
void AddRepairCommand(CLI::App& app, const Settings* settings, std::function<Status()>* chosen);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_REPAIR_COMMAND_H_
