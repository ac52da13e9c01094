#include "node/adapter/kubernetes_seeds.h"

#include <fmt/format.h>

#include <utility>

#include "common/kube/clock.h"
#include "common/kube/rest_client.h"
#include "node/adapter/host_port.h"

namespace dynamo {
namespace {

namespace json = boost::json;

constexpr char kServiceLabel[] = "kubernetes.io/service-name=";
constexpr char kPeerPortName[] = "peer";

// Seeds are asked for again and again while none is known: better late than hanging.
kube::RestClientOptions ShortOptions() {
  kube::RestClientOptions options;
  options.timeouts = {std::chrono::seconds(2), std::chrono::seconds(3), std::chrono::seconds(5)};
  options.attempts_max = 1;
  return options;
}

const json::array* ArrayAt(const kube::Object& object, std::string_view path) {
  const json::value* found = kube::Find(object, path);
  return found == nullptr ? nullptr : found->if_array();
}

uint16_t PeerPortOf(const kube::Object& slice, uint16_t otherwise) {
  const json::array* ports = ArrayAt(slice, "ports");
  if (ports == nullptr) return otherwise;
  for (const json::value& port : *ports) {
    const kube::Object* fields = port.if_object();
    if (fields == nullptr || kube::StringAt(*fields, "name") != kPeerPortName) continue;
    const int64_t number = kube::IntAt(*fields, "port");
    if (number > 0 && number <= UINT16_MAX) return static_cast<uint16_t>(number);
  }
  return otherwise;
}

void AddPeers(const kube::Object& slice, uint16_t port, std::vector<std::string>* out) {
  const json::array* endpoints = ArrayAt(slice, "endpoints");
  if (endpoints == nullptr) return;
  for (const json::value& endpoint : *endpoints) {
    const kube::Object* fields = endpoint.if_object();
    const json::array* addresses = fields == nullptr ? nullptr : ArrayAt(*fields, "addresses");
    if (addresses == nullptr) continue;
    for (const json::value& address : *addresses) {
      if (address.is_string()) out->push_back(ToString(HostPort{std::string(address.get_string()), port}));
    }
  }
}

}  // namespace

Result<KubernetesService> ParseKubernetesService(std::string_view text) {
  const size_t slash = text.find('/');
  KubernetesService service;
  if (slash != std::string_view::npos) service.namespace_ = text.substr(0, slash);
  service.name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  const bool half = slash != std::string_view::npos && service.namespace_.empty();
  if (half || service.name.empty() || service.name.find('/') != std::string::npos) {
    return Fail(Errc::kInvalidArgument, fmt::format("\"{}\" is neither SERVICE nor NAMESPACE/SERVICE", text));
  }
  return service;
}

std::vector<std::string> PeersOf(const std::vector<kube::Object>& endpoint_slices, uint16_t peer_port) {
  std::vector<std::string> peers;
  for (const kube::Object& slice : endpoint_slices) {
    // The third type, FQDN, is of services that are not ours.
    const std::string type = kube::StringAt(slice, "addressType");
    if (type == "IPv4" || type == "IPv6") AddPeers(slice, PeerPortOf(slice, peer_port), &peers);
  }
  return peers;
}

KubernetesSeeds::KubernetesSeeds(KubernetesService service, uint16_t peer_port, FindConfig find_config)
    : service_(std::move(service)), peer_port_(peer_port), find_config_(std::move(find_config)) {}

Result<std::vector<std::string>> KubernetesSeeds::LookUp() const {
  auto config = find_config_();
  if (!config) return Fail(std::move(config.error()));
  const std::string where = service_.namespace_.empty() ? config->default_namespace : service_.namespace_;
  kube::SystemClock clock;
  auto client = kube::RestClient::Make(*std::move(config), &clock, /*metrics=*/nullptr, ShortOptions());
  if (!client) return Fail(std::move(client.error()));
  const auto slices = (*client)->List(kube::EndpointSlices(), where, {kServiceLabel + service_.name, ""});
  if (!slices) {
    return Fail(Errc::kUnavailable, fmt::format("list the EndpointSlices of the service {}/{}: {}", where,
                                                service_.name, kube::ToString(slices.error())));
  }
  return PeersOf(slices->items, peer_port_);
}

}  // namespace dynamo
