#include "operator/controller/run_operator.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "common/base/check.h"
#include "operator/controller/cluster_reconciler.h"
#include "operator/controller/status_server.h"

namespace dynamo::op {
namespace {

constexpr char kLeaseName[] = "dynamo-operator";
constexpr Duration kBackoffMax = std::chrono::minutes(1);

// The cluster that a StatefulSet or pod belongs to; empty: to none.
std::string ClusterKeyOf(const kube::Object& object) {
  const std::string instance = kube::LabelOf(object, "app.kubernetes.io/instance");
  return instance.empty() ? "" : kube::MakeKey(kube::NamespaceOf(object), instance);
}

}  // namespace

std::string DrawUuid() {
  std::array<unsigned char, 16> bytes{};
  DYNAMO_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", bytes[i]);
  }
  return out;
}

Result<kube::Manager::End> RunOperator(const RunOptions& options, const Logger& log,
                                       const std::function<void(std::function<void()> stop)>& on_started) {
  auto config = kube::FindKubeConfig(options.kubeconfig);
  if (!config) return Fail(config.error());
  kube::SystemClock clock;
  Metrics metrics;
  kube::RestClientOptions client_options;
  client_options.field_manager = "dynamo-operator";
  const std::string own_namespace =
      options.lease_namespace.empty() ? config->default_namespace : options.lease_namespace;
  auto client = kube::RestClient::Make(*config, &clock, &metrics, client_options);
  if (!client) return Fail(client.error());

  kube::EventRecorder events(client->get(), log, "dynamo-operator");
  OperatorOptions cluster = options.cluster;
  if (cluster.operator_namespace.empty()) cluster.operator_namespace = own_namespace;
  ClusterReconciler reconciler(client->get(), &events, log, &metrics, cluster, DrawUuid);
  kube::WorkQueue queue(&clock, &metrics, {"dynamocluster", std::chrono::milliseconds(5), kBackoffMax});
  kube::Controller controller(&reconciler, &queue, log, &metrics, {"dynamocluster", options.workers});

  // Caches only wake: whatever is decided is read past them.
  const kube::ListOptions ours{"app.kubernetes.io/managed-by=dynamo-operator", ""};
  const kube::ListOptions pods{"app.kubernetes.io/name=dynamo,app.kubernetes.io/component=node", ""};
  const auto wake_owner = [&queue](const std::string&, const kube::ObjectRef& before, const kube::ObjectRef& after) {
    const std::string key = ClusterKeyOf(after ? *after : *before);
    if (!key.empty()) queue.Add(key);
  };
  const auto wake = [&queue](const std::string& key, const kube::ObjectRef&, const kube::ObjectRef&) {
    queue.Add(key);
  };
  kube::Informer clusters(client->get(), log, {DynamoClusters(), options.watch_namespace, {}}, wake);
  kube::Informer sets(client->get(), log, {kube::StatefulSets(), options.watch_namespace, ours}, wake_owner);
  kube::Informer node_pods(client->get(), log, {kube::Pods(), options.watch_namespace, pods}, wake_owner);

  const std::string identity = options.identity.empty() ? DrawUuid() : options.identity;
  kube::LeaderElector elector(client->get(), log, &metrics, {own_namespace, kLeaseName, identity});
  kube::Manager manager({&clusters, &sets, &node_pods}, {&controller}, options.leader_election ? &elector : nullptr,
                        &clock, log);
  auto pages =
      StatusServer::Start(options.listen_address, options.port, &metrics, [&manager] { return manager.synced(); });
  if (!pages) return Fail(pages.error());
  log.Info("operator_starting server={} namespace={} port={}", config->where(),
           options.watch_namespace.empty() ? "(all)" : options.watch_namespace, (*pages)->port());
  on_started([&manager] { manager.Stop(); });
  const kube::Manager::End end = manager.Run();
  // The next leader may be at work already: nothing of ours may go on, not even to its end.
  if (end == kube::Manager::End::kLeadershipLost) std::_Exit(1);
  return end;
}

}  // namespace dynamo::op
