#include "operator/controller/leftovers.h"

#include <algorithm>
#include <utility>

#include "operator/cluster/objects.h"

namespace dynamo::op {
namespace {

bool IsOwnedBy(const kube::Object& object, const ClusterSpec& spec) {
  return std::ranges::any_of(kube::ArrayAt(object, "metadata.ownerReferences"),
                             [&spec](const kube::json::value& owner) {
                               return owner.is_object() && kube::StringAt(owner.get_object(), "uid") == spec.uid;
                             });
}

}  // namespace

kube::Answer<std::vector<Leftover>> FindLeftovers(const kube::LiveReader& reader, const ClusterSpec& spec,
                                                  bool pod_monitors, bool cert_manager) {
  std::vector<Leftover> leftovers;
  for (ObjectName& unasked : NotAskedFor(spec, pod_monitors, cert_manager)) {
    const auto there = reader.Get(unasked.resource, spec.namespace_, unasked.name);
    if (!there) return tl::unexpected(there.error());
    if (!*there || !IsOwnedBy(**there, spec) || kube::IsBeingDeleted(**there)) continue;
    leftovers.push_back({std::move(unasked.resource), std::move(unasked.name), kube::UidOf(**there)});
  }
  return leftovers;
}

}  // namespace dynamo::op
