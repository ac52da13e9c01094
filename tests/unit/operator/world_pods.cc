// The part of the acted world that StatefulSets, kubelets and a provisioner of volumes play.
#include <fmt/format.h>

#include <algorithm>

#include "operator/cluster/template_hash.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

namespace json = kube::json;
using kube::Object;
using kube::StringAt;

constexpr char kActedPods[] = "/api/v1/namespaces/shop/pods";
constexpr char kActedClaim[] = "/api/v1/namespaces/shop/persistentvolumeclaims/data-";

const Object& TemplateOf(const Object& set) { return kube::Find(set, "spec.template")->get_object(); }
std::string ImageOf(const Object& template_or_pod) {
  return StringAt(kube::Find(template_or_pod, "spec.containers")->get_array()[0].get_object(), "image");
}
// "off": nothing is said.
std::string PeerModeOf(const Object& made_of) {
  for (const json::value& item :
       kube::ArrayAt(kube::Find(made_of, "spec.containers")->get_array()[0].get_object(), "env")) {
    if (StringAt(item.get_object(), "name") == "DYNAMO_TLS_PEER") return StringAt(item.get_object(), "value");
  }
  return "off";
}
// Names with dots in them cannot be reached by a path.
std::string AnnotationOn(const Object& template_or_pod) {
  const json::value* annotations = kube::Find(template_or_pod, "metadata.annotations");
  const json::value* hash =
      annotations == nullptr ? nullptr : annotations->get_object().if_contains(kTemplateAnnotation);
  return hash == nullptr ? "" : std::string(hash->get_string());
}

}  // namespace

void World::ActSet(const Object& set) {
  const std::string name = kube::NameOf(set);
  const int64_t replicas = kube::IntAt(set, "spec.replicas");
  for (int64_t i = 0; i < replicas; ++i) MakePlace(set, fmt::format("{}-{}", name, i));
  int64_t ready = 0;
  for (const Object& pod : api.List(kActedPods)) {
    const std::string pod_name = kube::NameOf(pod);
    const size_t dash = pod_name.rfind('-');
    if (pod_name.substr(0, dash) != name) continue;
    if (std::stoll(pod_name.substr(dash + 1)) >= replicas) {
      api.Do("DELETE", std::string(kActedPods) + "/" + pod_name);
      StopNode(pod_name);
      continue;
    }
    const std::string state = StateOf(pod_name);
    const bool serves = !IsOff(pod_name) && !IsBroken(pod_name) && (state == "normal" || state == "leaving");
    ready += serves;
    WritePodStatus(pod, serves);
  }
  api.Do("PATCH", "/apis/apps/v1/namespaces/shop/statefulsets/" + name + "/status",
         {{"status",
           {{"readyReplicas", ready},
            {"updatedReplicas", UpdatedOf(set)},
            {"observedGeneration", kube::IntAt(set, "metadata.generation")}}}});
}

void World::WritePodStatus(const Object& pod, bool serves) {
  const std::string name = kube::NameOf(pod), path = std::string(kActedPods) + "/" + name + "/status";
  if (IsBroken(name)) {
    const Object waiting{{"state", {{"waiting", {{"reason", "ErrImagePull"}, {"message", "no such image"}}}}}};
    api.Do("PATCH", path, {{"status", {{"phase", "Pending"}, {"containerStatuses", json::array{waiting}}}}});
    return;
  }
  if (IsOff(name) && StringAt(pod, "spec.nodeName").empty()) {
    api.Do("PATCH", path, {{"status", {{"phase", "Pending"}}}});
    return;
  }
  std::string since = kube::Time(clock.Wall());
  if (const json::value* before = kube::Find(pod, "status.conditions")) {
    const Object& ready = before->get_array()[0].get_object();
    if (StringAt(ready, "status") == (serves ? "True" : "False")) since = StringAt(ready, "lastTransitionTime");
  }
  const Object ready{{"type", "Ready"}, {"status", serves ? "True" : "False"}, {"lastTransitionTime", since}};
  const size_t dash = name.rfind('-');
  api.Do("PATCH", path,
         {{"status",
           {{"phase", "Running"},
            {"podIP", "10.0.0." + std::to_string(name[dash - 1] - 'a' + 1) + name.substr(dash + 1)},
            {"conditions", json::array{ready}}}}});
}

int64_t World::UpdatedOf(const Object& set) {
  int64_t updated = 0;
  for (const Object& pod : api.List(kActedPods)) {
    const std::string name = kube::NameOf(pod);
    if (name.substr(0, name.rfind('-')) != kube::NameOf(set)) continue;
    updated += ImageOf(pod) == ImageOf(TemplateOf(set)) && AnnotationOn(pod) == AnnotationOn(TemplateOf(set));
  }
  return updated;
}

void World::MakePlace(const Object& set, const std::string& name) {
  MakeClaim(set, name);
  StartNode(name);
  const std::string path = std::string(kActedPods) + "/" + name;
  if (!api.Get(path).empty()) return;
  const Object& made_of = TemplateOf(set);
  Object metadata{{"name", name}, {"labels", *kube::Find(made_of, "metadata.labels")}};
  if (const json::value* annotations = kube::Find(made_of, "metadata.annotations"))
    metadata["annotations"] = *annotations;
  metadata["labels"].get_object()["test/tls"] = PeerModeOf(made_of);
  Object spec{{"containers", json::array{Object{{"image", ImageOf(made_of)}}}}};
  // No machine but that of its volume will do.
  if (!IsOff(name)) spec["nodeName"] = MachineAt(name);
  api.Do("POST", kActedPods, {{"metadata", metadata}, {"spec", spec}});
  const std::string uid = kube::UidOf(api.Get(path));
  const std::lock_guard lock(mutex_);
  pods_[name] = uid;
  ImageOf(made_of).find("broken") != std::string::npos ? void(broken_.insert(name)) : void(broken_.erase(name));
}

void World::MakeClaim(const Object& set, const std::string& pod) {
  const std::string path = kActedClaim + pod;
  if (!api.Get(path).empty()) return;
  const Object& claim = kube::Find(set, "spec.volumeClaimTemplates")->get_array()[0].get_object();
  api.Do("POST", "/api/v1/namespaces/shop/persistentvolumeclaims",
         {{"metadata", {{"name", "data-" + pod}, {"labels", *kube::Find(claim, "metadata.labels")}}},
          {"spec", {{"resources", *kube::Find(claim, "spec.resources")}, {"storageClassName", "standard"}}},
          {"status",
           {{"phase", "Bound"}, {"capacity", {{"storage", StringAt(claim, "spec.resources.requests.storage")}}}}}});
  const std::string uid = kube::UidOf(api.Get(path)), machine = "machine-of-" + uid, volume = "volume-" + uid;
  api.Do("PATCH", path, {{"spec", {{"volumeName", volume}}}});
  const Object term{
      {"matchExpressions",
       json::array{Object{{"key", "kubernetes.io/hostname"}, {"operator", "In"}, {"values", json::array{machine}}}}}};
  api.Do("POST", "/api/v1/persistentvolumes",
         {{"metadata", {{"name", volume}}},
          {"spec", {{"nodeAffinity", {{"required", {{"nodeSelectorTerms", json::array{term}}}}}}}}});
  api.Do("POST", "/api/v1/nodes",
         {{"metadata", {{"name", machine}, {"labels", {{"kubernetes.io/hostname", machine}}}}},
          {"status", {{"conditions", json::array{Object{{"type", "Ready"}, {"status", "True"}}}}}}});
  const std::lock_guard lock(mutex_);
  volumes_[uid] = {"node-of-" + uid, "", machine, true};
  claims_[pod] = uid;
}

bool World::GoesToSleep(const std::string& set) {
  if (OperationStep() != "Hibernate/StopPods") return false;
  const bool at_rest = std::ranges::all_of(ring_->members, [](const admin::Member& member) {
    return member.state == "normal" || member.state == "left" || member.state == "replaced";
  });
  if (!at_rest) violations_.push_back(set + " goes to sleep in the middle of a change of the ring");
  const Object cluster = Cluster();
  for (const json::value& rack : kube::ArrayAt(cluster, "status.hibernation.racks")) {
    if ("demo-" + StringAt(rack.get_object(), "name") != set) continue;
    if (kube::IntAt(rack.get_object(), "replicas") >= replicas_[set]) return true;
  }
  violations_.push_back(set + " goes to sleep, and nobody has written down how large it was");
  return true;
}

std::string World::ImageAt(const std::string& pod) {
  const Object found = api.Get(std::string(kActedPods) + "/" + pod);
  return found.empty() ? "" : ImageOf(found);
}

std::string World::PodUidAt(const std::string& pod) {
  return kube::UidOf(api.Get(std::string(kActedPods) + "/" + pod));
}

bool World::IsBroken(const std::string& pod) {
  const std::lock_guard lock(mutex_);
  return broken_.contains(pod);
}

// After it was deleted: it served nobody, or that was written down, and the others suffice.
void World::CheckStoppedPod(const std::string& pod) {
  const Volume& volume = volumes_[claims_[pod]];
  const bool served = !volume.cluster_id.empty() && !silent_.contains(pod) && !off_.contains(volume.machine);
  if (!served || broken_.contains(pod)) return;
  const Object cluster = Cluster();
  const bool recorded =
      OperationStep().ends_with("/Restart") && StringAt(cluster, "status.operation.podUID") == pods_[pod];
  if (!recorded) violations_.push_back("the pod " + pod + " was deleted, whose node serves, in " + OperationStep());
  const auto left = std::ranges::count_if(
      ring_->members, [&](const admin::Member& member) { return member.id != volume.node_id && Lives(member.id); });
  if (left < 2) violations_.push_back("the pod " + pod + " was deleted, and fewer than a quorum are left");
}

}  // namespace dynamo::op
