// The names in certificates that say who belongs to a cluster:
//   dynamo://CLUSTER            any node of it
//   dynamo://CLUSTER/NODE-ID    that node
//   dynamo://CLUSTER/admin      who administers it
#ifndef DYNAMO_COMMON_TLS_NAMES_H_
#define DYNAMO_COMMON_TLS_NAMES_H_

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.h"

namespace dynamo {

struct ClusterName {
  enum class Kind { kAnyNode, kNode, kAdmin };
  std::string cluster;  // Its id, as a rule; never empty.
  Kind kind = Kind::kAnyNode;
  NodeId node;  // Of kNode.

  friend bool operator==(const ClusterName&, const ClusterName&) = default;
};

// Nullopt: no such name.
std::optional<ClusterName> ParseClusterName(std::string_view uri);
std::string ToString(const ClusterName& name);

// All that stand among a certificate's alternative names.
std::vector<ClusterName> ClusterNamesOf(const X509* certificate);

// For a log line: the alternative names that are URIs or host names, or else the subject.
std::string DescribeNames(const X509* certificate);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_TLS_NAMES_H_
