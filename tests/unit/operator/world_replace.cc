// The part of the acted world in which volumes and machines are lost, and other nodes take
// the places of those that were on them.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

namespace json = kube::json;
using kube::Object;
using kube::StringAt;

constexpr char kPodPath[] = "/api/v1/namespaces/shop/pods/";
constexpr char kClaimPath[] = "/api/v1/namespaces/shop/persistentvolumeclaims/data-";
constexpr char kMachinePath[] = "/api/v1/nodes/";

std::pair<int, std::string> Refused(const std::string& why) { return {409, "{\"error\": \"" + why + "\"}"}; }

}  // namespace

admin::Repair RepairOf(const std::string& id, bool done) {
  admin::Repair repair;
  repair.id = id;
  repair.type = "repair";
  repair.state = done ? "done" : "running";
  repair.exchanges = 8;
  repair.exchanges_done = done ? 8 : 3;
  repair.keys_repaired = done ? 17 : 5;
  return repair;
}

std::string World::VolumeAt(const std::string& pod) { return kube::UidOf(api.Get(kClaimPath + pod)); }

std::string World::MachineAt(const std::string& pod) {
  const std::string uid = VolumeAt(pod);
  const std::lock_guard lock(mutex_);
  const auto found = volumes_.find(uid);
  return found == volumes_.end() ? "" : found->second.machine;
}

bool World::IsOff(const std::string& pod) {
  const std::string machine = MachineAt(pod);
  const std::lock_guard lock(mutex_);
  return off_.contains(machine);
}

void World::LoseVolume(const std::string& pod) {
  api.Do("DELETE", kClaimPath + pod);
  api.Do("DELETE", kPodPath + pod);
}

void World::PowerOff(const std::string& pod) {
  const std::string machine = MachineAt(pod);
  const Object away{{"type", "Ready"}, {"status", "Unknown"}, {"lastTransitionTime", kube::Time(clock.Wall())}};
  api.Do("PATCH", kMachinePath + machine + "/status", {{"status", {{"conditions", json::array{away}}}}});
  const std::lock_guard lock(mutex_);
  off_.insert(machine);
}

void World::PowerOn(const std::string& pod) {
  const std::string machine = MachineAt(pod);
  api.Do("PATCH", kMachinePath + machine + "/status",
         {{"status", {{"conditions", json::array{Object{{"type", "Ready"}, {"status", "True"}}}}}}});
  const std::lock_guard lock(mutex_);
  off_.erase(machine);
}

// Kubernetes itself removes the pods of machines that it does not know.
void World::RemoveMachine(const std::string& pod) {
  PowerOff(pod);
  api.Do("DELETE", kMachinePath + MachineAt(pod));
  api.Do("DELETE", kPodPath + pod);
}

int World::EventsOf(const std::string& reason) {
  int count = 0;
  for (const Object& event : api.List("/api/v1/namespaces/shop/events")) count += StringAt(event, "reason") == reason;
  return count;
}

std::string World::PodOf(const std::string& node_id) {
  for (const auto& [pod, uid] : claims_) {
    if (volumes_[uid].node_id == node_id) return pod;
  }
  return "";
}

bool World::Lives(const std::string& node_id) {
  const std::string pod = PodOf(node_id);
  if (pod.empty() || silent_.contains(pod) || broken_.contains(pod) || off_.contains(volumes_[claims_[pod]].machine))
    return false;
  return VolumeAt(pod) == claims_[pod] && !api.Get(kPodPath + pod).empty();
}

admin::Safety World::SafetyNow(const std::string& asked) {
  admin::Safety safety;
  safety.node_id = asked;
  safety.epoch = ring_->epoch;
  if (ready_without_) safety.partitions.push_back({5, 3, 3, 2, *ready_without_});
  const auto away = std::ranges::count_if(
      ring_->members, [this](const admin::Member& member) { return HoldsPlace(member) && !Lives(member.id); });
  const auto ready = static_cast<uint32_t>(std::max<int64_t>(0, 3 - away));
  if (away > 0) safety.partitions.push_back({7, 3, 3, ready, ready});
  return safety;
}

admin::Members World::MembersNow(const std::string& asked) {
  admin::Members out;
  out.node_id = asked;
  out.members = ring_->members;
  for (admin::Member& member : out.members) member.liveness = Lives(member.id) ? "alive" : "dead";
  for (const auto& [pod, uid] : claims_) {
    const std::string& id = volumes_[uid].node_id;
    if (MemberOf(id) != nullptr || !Lives(id)) continue;
    admin::Member stranger;
    stranger.id = id;
    stranger.liveness = "alive";
    out.members.push_back(stranger);
  }
  return out;
}

std::pair<int, std::string> World::OperateReplacement(const Object& request) {
  const std::string type = StringAt(request, "type");
  auto answer = type == "replace"  ? Replace(StringAt(request, "oldID"), StringAt(request, "nodeID"))
                : type == "forget" ? Forget(StringAt(request, "nodeID"))
                                   : Repair(StringAt(request, "id"));
  CountWrite();
  return answer;
}

std::pair<int, std::string> World::Replace(const std::string& lost, const std::string& with) {
  admin::Member* member = MemberOf(lost);
  Volume* volume = VolumeOf(with);
  if (member != nullptr && member->state == "replaced") return {200, "{\"state\": \"done\"}"};
  if (OperationStep() != "Replace/Replace") violations_.push_back("replaced in the step " + OperationStep());
  if (member == nullptr || volume == nullptr || !volume->empty) return Refused("no such members");
  if (Lives(lost)) {
    violations_.push_back("a member that lives was to be replaced");
    return Refused("is alive");
  }
  const bool busy =
      std::ranges::any_of(ring_->members, [](const admin::Member& each) { return each.state == "joining"; });
  if (busy) {
    violations_.push_back("two were to be replaced at the same time");
    return Refused("another change is under way");
  }
  member->state = "replaced";
  admin::Member newcomer;
  newcomer.id = with;
  newcomer.name = PodOf(with);
  newcomer.state = "joining";
  ring_->members.push_back(newcomer);
  volume->cluster_id = ring_->cluster_id;
  volume->empty = false;
  ring_->hash = "hash-" + std::to_string(++ring_->epoch);
  return {200, "{\"state\": \"running\"}"};
}

std::pair<int, std::string> World::Forget(const std::string& lost) {
  const auto found = std::ranges::find(ring_->members, lost, &admin::Member::id);
  if (found == ring_->members.end()) return {200, "{\"state\": \"done\"}"};
  if (found->state != "replaced") violations_.push_back("a member was forgotten that is " + found->state);
  const bool rebuilding =
      std::ranges::any_of(ring_->members, [](const admin::Member& each) { return each.state == "joining"; });
  if (rebuilding) violations_.push_back("the lost one was forgotten before the new one was rebuilt");
  const bool repaired = std::ranges::any_of(repairs_, [](const auto& repair) { return repair.second; });
  if (!repaired) violations_.push_back("the lost one was forgotten before the new one was compared with the others");
  ring_->members.erase(found);
  ring_->hash = "hash-" + std::to_string(++ring_->epoch);
  return {200, "{\"state\": \"done\"}"};
}

std::pair<int, std::string> World::Repair(const std::string& id) {
  repairs_.emplace(id, false);
  return {200, json::serialize(admin::ToJson(RepairOf(id, repairs_[id])))};
}

// After it was deleted: its node has left, or its machine is gone, and that was written down.
void World::CheckRemovedClaim(const std::string& pod) {
  if (!VolumeAt(pod).empty() || !ring_) return;
  const Volume& volume = volumes_[claims_[pod]];
  const admin::Member* member = MemberOf(volume.node_id);
  if (member == nullptr || !HoldsPlace(*member)) return;
  const bool recorded =
      OperationStep() == "Replace/DropVolume" && StringAt(Cluster(), "status.operation.lostVolumeUID") == claims_[pod];
  const bool machine_gone = api.Get(kMachinePath + volume.machine).empty();
  if (recorded && machine_gone) return;
  violations_.push_back("the volume of " + pod + " was deleted, which is " + member->state);
}

}  // namespace dynamo::op
