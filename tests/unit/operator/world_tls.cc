// The part of the acted world in which kubelets bring certificates to running nodes, one node
// after the other, and nodes that do not trust each other are a violation.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/base64.h"
#include "operator/controller/authority.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

namespace json = kube::json;
using kube::Object;

constexpr char kAllSecrets[] = "/api/v1/namespaces/shop/secrets/";
constexpr char kNodePods[] = "/api/v1/namespaces/shop/pods";

bool Mounts(const Object& pod, const std::string& mode) { return kube::LabelOf(pod, "test/tls") == mode; }

bool Trusts(const std::string& authorities, const std::string& certificate) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  for (size_t at = authorities.find(kBegin); at != std::string::npos; at = authorities.find(kBegin, at + 1)) {
    if (IsSignedBy(certificate, authorities.substr(at))) return true;
  }
  return false;
}

}  // namespace

std::string World::SecretText(const std::string& name, const std::string& field) {
  const Object secret = api.Get(kAllSecrets + name);
  const json::value* data = kube::Find(secret, "data");
  const json::value* value = data == nullptr ? nullptr : data->get_object().if_contains(field);
  return value == nullptr ? "" : Base64Decode(std::string(value->get_string())).value_or("");
}

void World::set_kubelets_slow(bool slow) {
  const std::lock_guard lock(mutex_);
  kubelets_slow_ = slow;
}

void World::ActCertificates() {
  const std::string certificate = SecretText("demo-peer-tls", "tls.crt");
  const std::string authorities = SecretText("demo-peer-tls", "ca.crt");
  const std::vector<Object> pods = api.List(kNodePods);
  {
    const std::lock_guard lock(mutex_);
    bool one_has_read = kubelets_slow_;
    std::map<std::string, Folder> now;
    for (const Object& pod : pods) {
      const std::string name = kube::NameOf(pod), uid = kube::UidOf(pod);
      if (!Mounts(pod, "required") && !Mounts(pod, "optional")) continue;
      Folder folder = folders_[name];
      // The kubelet waits for the Secret.
      if (folder.pod_uid != uid && certificate.empty()) continue;
      const bool old = folder.certificate != certificate || folder.authorities != authorities;
      // A pod that starts reads what there is; of those that run one is the next.
      if (folder.pod_uid != uid || (old && !one_has_read)) {
        one_has_read = one_has_read || folder.pod_uid == uid;
        folder = {uid, certificate, authorities};
      }
      now[name] = folder;
    }
    folders_ = std::move(now);
  }
  CheckCertificates();
}

// Whoever runs trusts whoever runs; plaintext and TLS only do not meet; and no folder of a pod
// holds the key of an authority.
void World::CheckCertificates() {
  int plain = 0, required = 0;
  for (const Object& pod : api.List(kNodePods)) {
    plain += !Mounts(pod, "required") && !Mounts(pod, "optional");
    required += Mounts(pod, "required");
  }
  const std::string keys = SecretText("demo-ca", "tls.key") + SecretText("demo-ca", "next.key");
  const std::lock_guard lock(mutex_);
  if (plain > 0 && required > 0) violations_.push_back("nodes with plaintext meet nodes that take TLS only");
  for (const auto& [name, folder] : folders_) {
    for (const auto& [other, theirs] : folders_) {
      // Certificates of somebody else's are theirs to keep.
      if (theirs.certificate.empty() || Trusts(folder.authorities, theirs.certificate)) continue;
      violations_.push_back(fmt::format("{} does not trust the certificate of {}", name, other));
    }
  }
  for (const char* name : {"demo-peer-tls", "demo-client-tls"}) {
    const std::string key = SecretText(name, "tls.key");
    if (!key.empty() && keys.find(key) != std::string::npos) violations_.push_back("an authority's key reaches pods");
  }
}

std::string World::FiguresOf(const std::string& pod) {
  const auto folder = folders_.find(pod);
  if (folder == folders_.end()) return "";
  const auto first = [](const std::string& certificates) {
    const auto facts = Inspect(certificates);
    return facts && !facts->empty() ? facts->front().not_after / 1'000'000 : 0;
  };
  const auto last = [](const std::string& certificates) {
    WallMicros ends = 0;
    if (const auto facts = Inspect(certificates)) {
      for (const CertificateFacts& one : *facts) ends = std::max(ends, one.not_after);
    }
    return ends / 1'000'000;
  };
  // The doors' folder changes with the peers' here.
  const std::string client = SecretText("demo-client-tls", "tls.crt");
  return fmt::format(
      "dynamo_tls_certificate_expiry_timestamp_seconds{{use=\"peer\"}} {}\n"
      "dynamo_tls_last_authority_expiry_timestamp_seconds{{use=\"peer\"}} {}\n"
      "dynamo_tls_certificate_expiry_timestamp_seconds{{use=\"client\"}} {}\n",
      first(folder->second.certificate), last(folder->second.authorities), first(client));
}

}  // namespace dynamo::op
