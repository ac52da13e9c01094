// dynamoctl cluster force-topology | accept-loss, and how losses are shown. See docs/recovery.md.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_LOSS_COMMANDS_H_
#define DYNAMO_TOOLS_DYNAMOCTL_LOSS_COMMANDS_H_

#include <functional>
#include <string>

#include "common/admin/types.h"
#include "common/base/result.h"
#include "tools/dynamoctl/settings.h"

namespace CLI {
class App;
}

namespace dynamo::ctl {

// Under `cluster`. A command that is parsed sets `chosen`; all outlive the parsing.
void AddLossCommands(CLI::App& cluster, const Settings* settings, std::function<Status()>* chosen);

// One line for each, for people; empty: nothing was declared lost.
std::string DescribeLosses(const admin::Topology& topology);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_LOSS_COMMANDS_H_
