// What cert-manager is asked for, with the names that certificates of the operator's own have.
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "operator/cluster/objects.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;

// As long as the operator's own: see certificates.h.
constexpr char kDuration[] = "2160h", kRenewBefore[] = "720h";

// It is called as the Secret that it writes.
Object Certificate(const ClusterSpec& spec, const std::string& name, json::array usages) {
  const IssuerRef& issuer = spec.tls_issuer;
  return {
      {"apiVersion", Certificates().api_version()},
      {"kind", Certificates().kind},
      {"metadata", Metadata(spec, name)},
      {"spec",
       {{"secretName", name},
        {"duration", kDuration},
        {"renewBefore", kRenewBefore},
        {"privateKey", {{"algorithm", "ECDSA"}, {"size", 256}, {"encoding", "PKCS8"}, {"rotationPolicy", "Always"}}},
        {"usages", std::move(usages)},
        {"issuerRef", {{"name", issuer.name}, {"kind", issuer.kind}, {"group", issuer.group}}}}}};
}

}  // namespace

const kube::Resource& Certificates() {
  static const kube::Resource resource{"cert-manager.io", "v1", "Certificate", "certificates"};
  return resource;
}

std::string PeerUri(const std::string& cluster_id) { return "dynamo://" + cluster_id; }

std::vector<std::string> DoorNames(const ClusterSpec& spec) {
  return {spec.name,
          fmt::format("{}.{}", spec.name, spec.namespace_),
          spec.Endpoint(),
          spec.Endpoint() + ".cluster.local",
          fmt::format("*.{}.{}.svc", spec.HeadlessName(), spec.namespace_),
          "localhost"};
}

// A node is server and client of the others.
Object RenderPeerCertificate(const ClusterSpec& spec, const std::string& cluster_id) {
  Object certificate =
      Certificate(spec, spec.PeerCertificateName(), {"digital signature", "server auth", "client auth"});
  certificate["spec"].get_object()["uris"] = json::array{PeerUri(cluster_id)};
  return certificate;
}

Object RenderClientCertificate(const ClusterSpec& spec) {
  Object certificate = Certificate(spec, spec.ClientCertificateName(), {"digital signature", "server auth"});
  json::array names;
  for (const std::string& name : DoorNames(spec)) names.push_back(json::value(name));
  certificate["spec"].get_object()["dnsNames"] = std::move(names);
  return certificate;
}

}  // namespace dynamo::op
