#include "operator/cluster/offered.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

namespace dynamo::op {
namespace {

namespace json = kube::json;

// Fields that do nothing yet, with the only value that promises nothing.
struct NotOffered {
  const char* field;
  json::value harmless;
};
const std::vector<NotOffered>& FieldsNotOffered() {
  static const std::vector<NotOffered> fields = {
      {"monitoring.rules", false},  // The operator's chart has them, for all clusters.
      {"monitoring.dashboard", false},
      {"replication.sloppyQuorum", true},
      {"replication.hintedHandoff", true},
  };
  return fields;
}

}  // namespace

Status CheckOffered(const kube::Object& object) {
  for (const auto& [field, harmless] : FieldsNotOffered()) {
    const json::value* value = kube::Find(object, fmt::format("spec.{}", field));
    if (value == nullptr || value->is_null() || *value == harmless) continue;
    return Fail(Errc::kUnsupported, fmt::format("spec.{}: this version of the operator does not offer it, only {}",
                                                field, json::serialize(harmless)));
  }
  return {};
}

// The nodes of this version wait for most of a key's replicas.
Status CheckQuorums(const ClusterSpec& spec) {
  const int most = spec.factor / 2 + 1;
  for (const auto& [field, quorum] : {std::pair("readQuorum", spec.read_quorum), {"writeQuorum", spec.write_quorum}}) {
    if (quorum == most) continue;
    return Fail(
        Errc::kUnsupported,
        fmt::format("spec.replication.{}: this version's nodes wait for {} of {}, and not for {}; a bucket or a "
                    "request may ask for another number",
                    field, most, spec.factor, quorum));
  }
  return {};
}

}  // namespace dynamo::op
