// type create, type list.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_TYPE_COMMANDS_H_
#define DYNAMO_TOOLS_DYNAMOCTL_TYPE_COMMANDS_H_

#include <CLI/App.hpp>
#include <functional>

#include "common/base/result.h"
#include "tools/dynamoctl/settings.h"

namespace dynamo::ctl {

// Parsing the command line sets `chosen` to what is to be done. Both outlive it.
void AddTypeCommands(CLI::App& app, const Settings* settings, std::function<Status()>* chosen);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_TYPE_COMMANDS_H_
