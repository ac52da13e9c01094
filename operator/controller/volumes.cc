#include "operator/controller/volumes.h"

#include <map>

#include "operator/cluster/quantity.h"

namespace dynamo::op {
namespace {

using kube::ArrayAt;
using kube::Object;
using kube::StringAt;
namespace json = kube::json;

const kube::Resource& StorageClasses() {
  static const kube::Resource resource{"storage.k8s.io", "v1", "StorageClass", "storageclasses"};
  return resource;
}

bool OwnedByASet(const Object& claim) {
  for (const json::value& owner : ArrayAt(claim, "metadata.ownerReferences")) {
    if (StringAt(owner.get_object(), "kind") == "StatefulSet") return true;
  }
  return false;
}

}  // namespace

void ReadVolume(const Object& claim, NodeView* node) {
  node->volume_uid = kube::UidOf(claim);
  node->volume_cluster_id = kube::LabelOf(claim, kClusterIdLabel);
  node->volume_bound = StringAt(claim, "status.phase") == "Bound";
  node->volume_deleting = kube::IsBeingDeleted(claim);
  node->volume_name = StringAt(claim, "spec.volumeName");
  node->volume_requested = StringAt(claim, "spec.resources.requests.storage");
  node->volume_size = StringAt(claim, "status.capacity.storage");
  node->volume_class = StringAt(claim, "spec.storageClassName");
  node->volume_owned = OwnedByASet(claim);
  for (const json::value& item : ArrayAt(claim, "status.conditions")) {
    const Object& condition = item.get_object();
    if (StringAt(condition, "status") != "True") continue;
    const std::string type = StringAt(condition, "type"), message = StringAt(condition, "message");
    if (!message.empty()) node->volume_trouble = type + ": " + message;
    if (type != "FileSystemResizePending") continue;
    node->volume_pending_since = kube::ParseTime(StringAt(condition, "lastTransitionTime")).value_or(0);
  }
}

kube::Answer<void> LookForClasses(const kube::LiveReader& reader, const ClusterSpec& spec, Observed* observed) {
  const int64_t wanted = ParseBytes(spec.storage_size).value_or(0);
  std::map<std::string, bool> known;
  for (NodeView& node : observed->nodes) {
    const auto requested = ParseBytes(node.volume_requested);
    if (!node.expected || !requested || *requested >= wanted) continue;
    if (node.volume_class.empty()) {
      node.volume_can_grow = false;
      continue;
    }
    if (!known.contains(node.volume_class)) {
      const auto found = reader.Get(StorageClasses(), "", node.volume_class);
      if (!found && found.error().kind == kube::ApiError::Kind::kForbidden) {
        observed->classes_forbidden = found.error().message;
        continue;
      }
      if (!found) return tl::unexpected(found.error());
      known[node.volume_class] = *found && kube::BoolAt(**found, "allowVolumeExpansion");
    }
    node.volume_can_grow = known[node.volume_class];
  }
  return {};
}

}  // namespace dynamo::op
