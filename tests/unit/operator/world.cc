#include "tests/unit/operator/world.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <thread>

namespace dynamo::op {
namespace {

namespace json = kube::json;
using kube::Object;
using kube::StringAt;

constexpr char kClusterPath[] = "/apis/dynamo.internal/v1alpha1/namespaces/shop/dynamoclusters/demo";
constexpr char kSetsPath[] = "/apis/apps/v1/namespaces/shop/statefulsets";
constexpr char kPodsPath[] = "/api/v1/namespaces/shop/pods";
constexpr char kClaimsPath[] = "/api/v1/namespaces/shop/persistentvolumeclaims";

std::string Under(const char* collection, const std::string& name) { return std::string(collection) + "/" + name; }

}  // namespace

// One node's admin port.
class FakeNodeServer {
 public:
  FakeNodeServer(World* world, std::string pod) {
    const auto answer = [world, pod](const httplib::Request& in, httplib::Response& out) {
      const auto [status, body] = world->AnswerNode(pod, in.method, in.path, in.body);
      out.status = status;
      out.set_content(body, "application/json");
    };
    server_.new_task_queue = [] { return new httplib::ThreadPool(2); };
    server_.set_tcp_nodelay(true);
    server_.Get(".*", answer).Put(".*", answer);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~FakeNodeServer() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
};

World::World() {
  api.set_intercept([this](const testing::FakeRequest&) -> std::optional<testing::FakeReply> {
    if (stopped()) return testing::FakeReply{500, "", {}};
    return std::nullopt;
  });
  api.set_on_write([this](const testing::FakeRequest& request) { OnWrite(request); });
  Apply({{"version", "1.0.0"}});
  AllowExpansion(true);
  StartOperator();
}

World::~World() = default;

void World::Apply(const Object& spec) {
  if (api.Get(kClusterPath).empty()) {
    api.Do("POST", "/apis/dynamo.internal/v1alpha1/namespaces/shop/dynamoclusters",
           {{"apiVersion", "dynamo.internal/v1alpha1"},
            {"kind", "DynamoCluster"},
            {"metadata", {{"name", "demo"}, {"namespace", "shop"}}},
            {"spec",
             {{"replicas", 3},
              {"racks", json::array{Object{{"name", "a"}}, Object{{"name", "b"}}, Object{{"name", "c"}}}}}}});
  }
  api.Do("PATCH", kClusterPath, {{"spec", spec}});
}

Object World::Cluster() { return api.Get(kClusterPath); }

void World::StartOperator(ClusterReconciler::Planner planner, const std::string& image) {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = false;
    writes_left_ = -1;
  }
  OperatorOptions options;
  options.operator_namespace = "dynamo-system";
  options.default_image = image;
  options.nodes.timeout = std::chrono::seconds(5);
  options.nodes.endpoint = [this](const NodeView& node) {
    const std::lock_guard lock(mutex_);
    const auto found = nodes_.find(node.name);
    return "127.0.0.1:" + std::to_string(found == nodes_.end() ? 1 : found->second->port());
  };
  kube::RestClientOptions client_options;
  client_options.field_manager = "dynamo-operator";
  client_ = *kube::RestClient::Make(api.config(), &clock, &metrics, client_options);
  const Logger log(LogLevel::kWarn, [this](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex_);
    log_.emplace_back(line);
  });
  events_ = std::make_unique<kube::EventRecorder>(client_.get(), log, "dynamo-operator");
  reconciler_ = std::make_unique<ClusterReconciler>(
      client_.get(), events_.get(), log, &metrics, options,
      [this] { return fmt::format("00000000-0000-0000-0000-{:012}", ++ids_); }, std::move(planner));
}

void World::Pass() { reconciler_->Reconcile("shop/demo"); }

bool World::RunUntilTrue(const char* type, int turns) {
  for (int i = 0; i < turns; ++i) {
    Pass();
    if (stopped()) return false;
    const Object cluster = Cluster();
    const auto conditions = kube::Conditions::FromStatus(cluster);
    const kube::Condition* said = conditions.Get(type);
    if (said != nullptr && said->status == "True" &&
        said->observed_generation == kube::IntAt(cluster, "metadata.generation")) {
      return true;
    }
    Act();
  }
  return false;
}

void World::Act() {
  clock.Advance(std::chrono::seconds(10));
  for (const Object& set : api.List(kSetsPath)) ActSet(set);
  ActVolumes();
  ActCertManager();
  ActCertificates();
  const std::lock_guard lock(mutex_);
  if (!ring_ || slow_) return;
  for (admin::Member& member : ring_->members) {
    const std::string before = member.state;
    if (before == "joining") member.state = "normal";
    if (before == "leaving") member.state = "left";
    if (before != member.state) ring_->hash = "hash-" + std::to_string(++ring_->epoch);
  }
  for (auto& [id, done] : repairs_) done = true;
}

void World::StartNode(const std::string& pod) {
  const std::lock_guard lock(mutex_);
  if (!nodes_.contains(pod)) nodes_[pod] = std::make_unique<FakeNodeServer>(this, pod);
}

void World::StopNode(const std::string& pod) {
  std::unique_ptr<FakeNodeServer> stopping;
  const std::lock_guard lock(mutex_);
  stopping = std::move(nodes_[pod]);
  nodes_.erase(pod);
}

std::string World::NodeIdAt(const std::string& pod) {
  const std::lock_guard lock(mutex_);
  const auto found = volumes_.find(kube::UidOf(api.Get(Under(kClaimsPath, "data-" + pod))));
  return found == volumes_.end() ? "" : found->second.node_id;
}

admin::Member* World::MemberOf(const std::string& node_id) {
  if (!ring_) return nullptr;
  const auto found = std::ranges::find(ring_->members, node_id, &admin::Member::id);
  return found == ring_->members.end() ? nullptr : &*found;
}

std::string World::StateOf(const std::string& pod) {
  const std::string id = NodeIdAt(pod);
  const std::lock_guard lock(mutex_);
  const admin::Member* member = MemberOf(id);
  return member == nullptr ? "" : member->state;
}

std::pair<int, std::string> World::AnswerNode(const std::string& pod, const std::string& method,
                                              const std::string& path, const std::string& body) {
  const std::lock_guard lock(mutex_);
  const auto found = volumes_.find(kube::UidOf(api.Get(Under(kClaimsPath, "data-" + pod))));
  if (stopped_ || silent_.contains(pod) || broken_.contains(pod) || found == volumes_.end() ||
      off_.contains(found->second.machine))
    return {500, "{}"};
  Volume& volume = found->second;
  if (method == "PUT") {
    Object request = kube::ParseObject(body).value_or(Object{});
    request["id"] = path.substr(path.rfind('/') + 1);
    return Operate(pod, request);
  }
  if (path == "/identity") {
    const bool member = !volume.cluster_id.empty();
    return {200, json::serialize(admin::ToJson(admin::Identity{volume.node_id, volume.cluster_id, 1,
                                                               member ? "normal" : "empty", volume.empty}))};
  }
  if (path == "/metrics") return {200, FiguresOf(pod)};
  if (path == "/hints") return {200, "{\"total\": 0}"};
  if (path == "/safety" && ring_) return {200, json::serialize(admin::ToJson(SafetyNow(volume.node_id)))};
  if (path == "/members" && ring_) return {200, json::serialize(admin::ToJson(MembersNow(volume.node_id)))};
  if (path.starts_with("/operations/")) {
    const auto repair = repairs_.find(path.substr(12));
    if (repair == repairs_.end()) return {404, "{\"error\": \"no such operation\"}"};
    return {200, json::serialize(admin::ToJson(RepairOf(repair->first, repair->second)))};
  }
  if (path == "/topology" && ring_ && !volume.cluster_id.empty()) return {200, json::serialize(admin::ToJson(*ring_))};
  return {503, "{\"error\": \"no cluster\"}"};
}

World::Volume* World::VolumeOf(const std::string& node_id) {
  for (auto& [uid, volume] : volumes_) {
    if (volume.node_id == node_id) return &volume;
  }
  return nullptr;
}

std::pair<int, std::string> World::Operate(const std::string& pod, const Object& request) {
  const std::string type = StringAt(request, "type");
  if (OperationStep().empty()) violations_.push_back(type + " of " + pod + " before it was written down");
  if (type == "create") {
    if (ring_) return {409, "{\"error\": \"a cluster is here\"}"};
    if (++rings_formed_ > 1) violations_.push_back("a second ring was formed");
    ring_.emplace();
    ring_->cluster_id = StringAt(request, "clusterID");
    ring_->epoch = 1;
    ring_->partitions = static_cast<uint32_t>(kube::IntAt(request, "partitions"));
    ring_->hash = "hash-1";
    const size_t asked = kube::Find(request, "members")->get_array().size();
    if (asked != nodes_.size()) violations_.push_back("the ring was formed without all first nodes");
    for (const auto& [name, node] : nodes_) {
      admin::Member member;
      member.id = NodeIdAt(name);
      member.name = name;
      member.state = "normal";
      ring_->members.push_back(member);
      for (auto& [uid, each] : volumes_) {
        if (each.node_id == member.id) each.cluster_id = ring_->cluster_id, each.empty = false;
      }
    }
  } else {
    if (!ring_ || MemberOf(NodeIdAt(pod)) == nullptr) return {503, "{\"error\": \"this node is of no ring\"}"};
    if (type == "replace" || type == "forget" || type == "repair") return OperateReplacement(request);
    Change(type, StringAt(request, "nodeID"));
  }
  CountWrite();
  return {200, "{\"state\": \"done\"}"};
}

void World::Change(const std::string& type, const std::string& node_id) {
  admin::Member* member = MemberOf(node_id);
  Volume* volume = VolumeOf(node_id);
  if (type == "join" && member == nullptr && volume != nullptr) {
    admin::Member joining;
    joining.id = node_id;
    joining.state = "joining";
    ring_->members.push_back(joining);
    volume->cluster_id = ring_->cluster_id;
    volume->empty = false;
  } else if (type != "join" && member != nullptr && member->state == (type == "leave" ? "normal" : "leaving")) {
    member->state = type == "leave" ? "leaving" : "normal";
  } else {
    return;
  }
  ring_->hash = "hash-" + std::to_string(++ring_->epoch);
}

void World::OnWrite(const testing::FakeRequest& request) {
  if (request.path.find("/events") != std::string::npos) return;
  const std::lock_guard lock(mutex_);
  CheckWrite(request);
  CountWrite();
}

void World::CheckWrite(const testing::FakeRequest& request) {
  const bool set = request.path.find("/statefulsets/") != std::string::npos;
  const bool claim = request.path.find("/persistentvolumeclaims/") != std::string::npos;
  const bool pod = request.path.find("/pods/") != std::string::npos;
  const std::string name = request.path.substr(request.path.rfind('/') + 1);
  const int64_t now = set ? kube::IntAt(api.Get(Under(kSetsPath, name)), "spec.replicas") : 0;
  // A template alone changes no pod: these are deleted one by one.
  if ((claim || pod || (set && request.method != "PATCH") || (set && now != replicas_[name])) &&
      OperationStep().empty())
    violations_.push_back(request.path + " before it was written down");
  if (claim && request.method == "DELETE") CheckRemovedClaim(name.substr(5));
  if (pod && request.method == "DELETE") CheckStoppedPod(name);
  if (set && request.method == "DELETE") return CheckOrphaned(request, name);
  if (!set) return;
  for (int64_t i = now; i < replicas_[name] && !GoesToSleep(name); ++i) {
    const std::string state = StateOf(fmt::format("{}-{}", name, i));
    if (!state.empty() && state != "left")
      violations_.push_back(fmt::format("{} shrank though its node {} is {}", name, i, state));
  }
  replicas_[name] = now;
}

void World::CountWrite() {
  ++writes_;
  if (writes_left_ > 0 && --writes_left_ == 0) stopped_ = true;
}

void World::StopAfterWrites(int writes) {
  const std::lock_guard lock(mutex_);
  writes_left_ = writes;
}

bool World::stopped() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

int World::writes() {
  const std::lock_guard lock(mutex_);
  return writes_;
}

std::vector<std::string> World::log_lines() {
  const std::lock_guard lock(mutex_);
  return log_;
}

std::vector<std::string> World::violations() {
  const std::lock_guard lock(mutex_);
  return violations_;
}

std::string World::OperationStep() {
  const Object cluster = Cluster();
  const std::string type = StringAt(cluster, "status.operation.type");
  return type.empty() ? "" : type + "/" + StringAt(cluster, "status.operation.step");
}

std::string World::EndState() {
  std::string out = "operation=" + OperationStep();
  for (const Object& set : api.List(kSetsPath)) {
    out += fmt::format(" {}={}", kube::NameOf(set), kube::IntAt(set, "spec.replicas"));
  }
  for (const Object& pod : api.List(kPodsPath))
    out += fmt::format(" {}:{}:{}", kube::NameOf(pod), StateOf(kube::NameOf(pod)), ImageAt(kube::NameOf(pod)));
  for (const Object& claim : api.List(kClaimsPath))
    out += fmt::format(" {}:{}", kube::NameOf(claim), StringAt(claim, "status.capacity.storage"));
  for (const char* path : {"/api/v1/namespaces/shop/services", "/api/v1/namespaces/shop/secrets",
                           "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"}) {
    for (const Object& object : api.List(path)) {
      out += fmt::format(" {}/{}", StringAt(object, "kind"), kube::NameOf(object));
      if (kube::Find(object, "spec.maxUnavailable") != nullptr)
        out += fmt::format("={}", kube::IntAt(object, "spec.maxUnavailable"));
    }
  }
  const std::lock_guard lock(mutex_);
  out += fmt::format(" rings={}", rings_formed_);
  for (const admin::Member& member : ring_ ? ring_->members : std::vector<admin::Member>()) out += " " + member.state;
  return out;
}

void World::FillVolume(const std::string& pod) {
  const std::string id = NodeIdAt(pod);
  const std::lock_guard lock(mutex_);
  for (auto& [uid, volume] : volumes_) {
    if (volume.node_id == id) volume.empty = false;
  }
}

void World::set_node_silent(const std::string& pod, bool silent) {
  const std::lock_guard lock(mutex_);
  silent ? void(silent_.insert(pod)) : void(silent_.erase(pod));
}

void World::set_ready_without(uint32_t owners) {
  const std::lock_guard lock(mutex_);
  ready_without_ = owners;
}

void World::set_nodes_slow(bool slow) {
  const std::lock_guard lock(mutex_);
  slow_ = slow;
}

void World::Turn(int times) {
  for (int i = 0; i < times; ++i) Pass(), Act();
}

kube::Condition World::Said(const char* type) {
  const auto conditions = kube::Conditions::FromStatus(Cluster());
  return conditions.Get(type) == nullptr ? kube::Condition{} : *conditions.Get(type);
}

}  // namespace dynamo::op
