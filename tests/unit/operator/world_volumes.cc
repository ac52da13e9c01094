// The part of the acted world in which volumes grow, and belong to their StatefulSets if these
// say so.
#include <algorithm>

#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

namespace json = kube::json;
using kube::Object;
using kube::StringAt;

constexpr char kAllClaims[] = "/api/v1/namespaces/shop/persistentvolumeclaims";
constexpr char kAllSets[] = "/apis/apps/v1/namespaces/shop/statefulsets/";
constexpr char kClass[] = "/apis/storage.k8s.io/v1/storageclasses";

std::string ClaimPath(const std::string& name) { return std::string(kAllClaims) + "/" + name; }

}  // namespace

void World::AllowExpansion(bool allow) {
  const std::string path = std::string(kClass) + "/standard";
  if (api.Get(path).empty()) api.Do("POST", kClass, {{"metadata", {{"name", "standard"}}}});
  api.Do("PATCH", path, {{"allowVolumeExpansion", allow}});
}

void World::InstallPrometheusOperator() {
  api.Do("POST", "/apis/monitoring.coreos.com/v1/namespaces/prometheus/podmonitors",
         {{"metadata", {{"name", "its-own"}, {"namespace", "prometheus"}}}});
}

std::string World::VolumeSizeAt(const std::string& pod) {
  return StringAt(api.Get(ClaimPath("data-" + pod)), "status.capacity.storage");
}

void World::set_volumes_slow(bool slow) {
  const std::lock_guard lock(mutex_);
  volumes_slow_ = slow;
}

void World::set_file_systems_stiff(bool stiff) {
  const std::lock_guard lock(mutex_);
  stiff_ = stiff;
}

void World::ActVolumes() {
  for (const Object& claim : api.List(kAllClaims)) {
    const std::string name = kube::NameOf(claim), pod = name.substr(5);
    const Object set = api.Get(kAllSets + pod.substr(0, pod.rfind('-')));
    if (!set.empty()) {
      json::array owners;
      if (StringAt(set, "spec.persistentVolumeClaimRetentionPolicy.whenDeleted") == "Delete") {
        owners.push_back(Object{{"kind", "StatefulSet"}, {"name", kube::NameOf(set)}, {"uid", kube::UidOf(set)}});
      }
      api.Do("PATCH", ClaimPath(name), {{"metadata", {{"ownerReferences", owners}}}});
    }
    const std::string wanted = StringAt(claim, "spec.resources.requests.storage");
    if (wanted != StringAt(claim, "status.capacity.storage")) GrowTo(claim, wanted);
  }
}

void World::GrowTo(const Object& claim, const std::string& size) {
  const std::string name = kube::NameOf(claim), pod = PodUidAt(name.substr(5));
  bool stiff = false;
  {
    const std::lock_guard lock(mutex_);
    if (volumes_slow_) return;
    const bool first = grown_under_.emplace(name, pod).second;
    if (stiff_ && !first && (pod.empty() || grown_under_[name] == pod)) return;
    stiff = stiff_ && first;
    if (!stiff) grown_under_.erase(name);
  }
  const Object pending{{"type", "FileSystemResizePending"},
                       {"status", "True"},
                       {"message", "waiting for user to (re-)start a pod"},
                       {"lastTransitionTime", kube::Time(clock.Wall())}};
  api.Do("PATCH", ClaimPath(name),
         stiff ? Object{{"status", {{"conditions", json::array{pending}}}}}
               : Object{{"status", {{"capacity", {{"storage", size}}}, {"conditions", nullptr}}}});
}

// After it was deleted: alone, and that was written down.
void World::CheckOrphaned(const testing::FakeRequest& request, const std::string& set) {
  if (OperationStep() != "GrowVolumes/Recreate") violations_.push_back(set + " was deleted in " + OperationStep());
  if (request.body.find("Orphan") == std::string::npos) violations_.push_back(set + " was deleted with its pods");
  for (const Object& claim : api.List(kAllClaims)) {
    for (const json::value& owner : kube::ArrayAt(claim, "metadata.ownerReferences")) {
      if (StringAt(owner.get_object(), "name") != set) continue;
      violations_.push_back(set + " was deleted, and " + kube::NameOf(claim) + " goes with it");
    }
  }
}

}  // namespace dynamo::op
