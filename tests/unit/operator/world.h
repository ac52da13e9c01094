// A Kubernetes whose StatefulSets, pods and volumes are acted, with nodes that answer
// the admin API over HTTP: all that an operator sees of the world.
#ifndef DYNAMO_TESTS_UNIT_OPERATOR_WORLD_H_
#define DYNAMO_TESTS_UNIT_OPERATOR_WORLD_H_

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/admin/types.h"
#include "operator/controller/cluster_reconciler.h"
#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/kube/manual_clock.h"

namespace dynamo::op {

class FakeNodeServer;

class World {
 public:
  World();
  ~World();

  // Writes the resource anew, `spec` merged over the least that is needed.
  void Apply(const kube::Object& spec);
  void ScaleTo(int replicas) { Apply({{"replicas", replicas}}); }
  kube::Object Cluster();

  // Once what Kubernetes and the nodes do by themselves.
  void Act();
  // A new operator, as after a restart.
  // `image`: of its own release.
  void StartOperator(ClusterReconciler::Planner planner = Plan, const std::string& image = "dynamo");
  // Passes and acts until the operator says Ready; false: it never did.
  bool RunUntilReady(int turns = 60) { return RunUntilTrue("Ready", turns); }
  // The same for another condition.
  bool RunUntilTrue(const char* type, int turns = 60);
  void Pass();
  // A pass and what follows from it, so often.
  void Turn(int times);
  // The condition as the status has it; empty if it has not.
  kube::Condition Said(const char* type);

  // The operator is stopped after so many more writes: whatever it asks for then fails.
  void StopAfterWrites(int writes);
  bool stopped();
  int writes();

  // Warnings and worse.
  std::vector<std::string> log_lines();
  // What must never be seen, and was.
  std::vector<std::string> violations();
  // All that a restart must not change: objects, ring, volumes, the operation's absence.
  std::string EndState();
  // "Create/Form", or empty.
  std::string OperationStep();
  std::string StateOf(const std::string& pod);  // Of the ring's member; empty: none.
  void FillVolume(const std::string& pod);      // As if it held something of no cluster.
  void set_node_silent(const std::string& pod, bool silent);
  void LoseVolume(const std::string& pod);  // Its claim and the pod: both come anew.
  void PowerOff(const std::string& pod);    // Its machine: the disk is still there.
  void PowerOn(const std::string& pod);
  void RemoveMachine(const std::string& pod);  // For good, with the disk: Kubernetes knows it no more.
  std::string NodeIdAt(const std::string& pod);
  std::string VolumeAt(const std::string& pod);  // The claim's UID; empty: none.
  std::string MachineAt(const std::string& pod);
  int EventsOf(const std::string& reason);
  std::string ImageAt(const std::string& pod);
  std::string PodUidAt(const std::string& pod);
  std::string VolumeSizeAt(const std::string& pod);  // That it has.
  // Running nodes read changed certificates one after the other, or (slow) none does.
  void set_kubelets_slow(bool slow);
  std::string SecretText(const std::string& name, const std::string& field);
  void InstallPrometheusOperator();  // Its kinds are known from then on.
  void InstallCertManager();         // Likewise; from then on it issues what it is asked for.
  void set_issuer_ready(bool ready);
  void AllowExpansion(bool allow);   // By the storage class.
  void set_volumes_slow(bool slow);  // None grows.
  // File systems grow only when their pods start.
  void set_file_systems_stiff(bool stiff);
  void set_nodes_slow(bool slow);  // Joins and leaves stay under way.
  // The weakest partition has two of three owners that serve, and so many without the
  // node that is asked about.
  void set_ready_without(uint32_t owners);

  testing::FakeApiServer api;
  testing::ManualClock clock;
  Metrics metrics;

 private:
  friend class FakeNodeServer;
  struct Volume {
    std::string node_id, cluster_id, machine;
    bool empty = true;
  };

  void ActSet(const kube::Object& set);
  void MakePlace(const kube::Object& set, const std::string& name);
  void OnWrite(const testing::FakeRequest& request);
  void CheckWrite(const testing::FakeRequest& request);
  admin::Member* MemberOf(const std::string& node_id);
  // GET and PUT of the admin API: status and body.
  std::pair<int, std::string> AnswerNode(const std::string& pod, const std::string& method, const std::string& path,
                                         const std::string& body);
  std::pair<int, std::string> Operate(const std::string& pod, const kube::Object& request);
  void Change(const std::string& type, const std::string& node_id);
  Volume* VolumeOf(const std::string& node_id);
  void CountWrite();
  // The pods of a rack go together, and nothing is under way in the ring.
  bool GoesToSleep(const std::string& set);
  void ActCertificates();
  void CheckCertificates();
  void ActCertManager();
  std::string FiguresOf(const std::string& pod);
  void ActVolumes();
  void GrowTo(const kube::Object& claim, const std::string& size);
  void CheckOrphaned(const testing::FakeRequest& request, const std::string& set);
  void CheckRemovedClaim(const std::string& pod);
  void CheckStoppedPod(const std::string& pod);
  void MakeClaim(const kube::Object& set, const std::string& pod);
  bool IsOff(const std::string& pod);
  bool IsBroken(const std::string& pod);
  void StartNode(const std::string& pod);
  void StopNode(const std::string& pod);
  void WritePodStatus(const kube::Object& pod, bool serves);
  int64_t UpdatedOf(const kube::Object& set);
  bool Lives(const std::string& node_id);
  std::string PodOf(const std::string& node_id);
  admin::Safety SafetyNow(const std::string& asked);
  admin::Members MembersNow(const std::string& asked);
  std::pair<int, std::string> OperateReplacement(const kube::Object& request);
  std::pair<int, std::string> Replace(const std::string& lost, const std::string& with);
  std::pair<int, std::string> Forget(const std::string& lost);
  std::pair<int, std::string> Repair(const std::string& id);

  std::recursive_mutex mutex_;
  std::map<std::string, std::unique_ptr<FakeNodeServer>> nodes_;  // By pod.
  std::map<std::string, Volume> volumes_;                         // By the claim's UID.
  std::map<std::string, std::string> claims_;                     // The last UID of each place.
  std::set<std::string> silent_, off_;                            // Pods; machines.
  std::map<std::string, std::string> pods_;                       // The last UID of each place.
  std::set<std::string> broken_;                                  // Pods that cannot start: of an image "broken".
  std::map<std::string, bool> repairs_;                           // By id: done.
  std::optional<admin::Topology> ring_;
  std::vector<std::string> violations_, log_;
  std::map<std::string, int64_t> replicas_;  // Of the StatefulSets, as last seen.
  // What a running node reads from its folders: certificate, and whom it trusts.
  struct Folder {
    std::string pod_uid, certificate, authorities;
  };
  std::map<std::string, Folder> folders_;  // By pod.
  bool kubelets_slow_ = false, issuer_ready_ = true;
  std::string issuer_certificate_, issuer_key_;  // Of cert-manager.
  bool slow_ = false, stopped_ = false, volumes_slow_ = false, stiff_ = false;
  std::map<std::string, std::string> grown_under_;  // By claim: the pod under which its volume grew.
  std::optional<uint32_t> ready_without_;
  int writes_ = 0, writes_left_ = -1, rings_formed_ = 0, ids_ = 0;
  std::unique_ptr<kube::RestClient> client_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::unique_ptr<ClusterReconciler> reconciler_;
};

// As a node tells of it.
admin::Repair RepairOf(const std::string& id, bool done);

}  // namespace dynamo::op

#endif  // DYNAMO_TESTS_UNIT_OPERATOR_WORLD_H_
