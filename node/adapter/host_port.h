// Addresses as people write them: "host:port", "[::1]:8099".
#ifndef DYNAMO_NODE_ADAPTER_HOST_PORT_H_
#define DYNAMO_NODE_ADAPTER_HOST_PORT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace dynamo {

struct HostPort {
  std::string host;  // A name or an address, without brackets.
  uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// kInvalidArgument: no host, no port, or a port that is no number of 0 to 65535.
Result<HostPort> ParseHostPort(std::string_view text);

std::string ToString(const HostPort& address);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_HOST_PORT_H_
