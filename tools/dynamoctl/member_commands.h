// dynamoctl cluster join | leave | replace | capacity | rebalance | cancel | forget |
// plan | commit | progress.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_MEMBER_COMMANDS_H_
#define DYNAMO_TOOLS_DYNAMOCTL_MEMBER_COMMANDS_H_

#include <functional>

#include "common/base/result.h"
#include "tools/dynamoctl/settings.h"

namespace CLI {
class App;
}

namespace dynamo::ctl {

// Under `cluster`. A command that is parsed sets `chosen`; all outlive the parsing.
void AddMemberCommands(CLI::App& cluster, const Settings* settings, std::function<Status()>* chosen);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_MEMBER_COMMANDS_H_
