// What every command of dynamoctl is given.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_SETTINGS_H_
#define DYNAMO_TOOLS_DYNAMOCTL_SETTINGS_H_

#include <iosfwd>
#include <string>

#include "common/admin/http_client.h"

namespace dynamo::ctl {

struct Settings {
  admin::Endpoint admin{"127.0.0.1:8091"};
  admin::Endpoint http{"127.0.0.1:8098"};
  std::string output = "text";
  std::istream* in = nullptr;
  std::ostream* out = nullptr;

  bool json() const { return output == "json"; }
};

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_SETTINGS_H_
