#include "operator/controller/missing_secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "operator/cluster/objects.h"
#include "operator/controller/authority.h"
#include "operator/controller/certificate_secrets.h"

namespace dynamo::op {
namespace {

using kube::Answer;
using kube::Object;
using Missing = std::optional<MissingSecret>;

Answer<Missing> LookForTheirs(const kube::LiveReader& reader, const ClusterSpec& spec, const std::string& name) {
  const auto found = reader.Get(kube::Secrets(), spec.namespace_, name);
  if (!found) return tl::unexpected(found.error());
  if (*found) return Missing();
  return Missing({"SecretMissing", "the Secret " + name + " of the certificates is not there"});
}

bool HasNames(const std::string& certificate, const std::vector<std::string>& names) {
  const auto facts = Inspect(certificate);
  if (!facts || facts->empty()) return false;
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(facts->front().names, name) != facts->front().names.end();
  });
}

// In cert-manager's own words, which it writes on what it was asked for; empty: none.
Answer<std::string> WordsOf(const kube::LiveReader& reader, const ClusterSpec& spec, const std::string& name) {
  const auto found = reader.Get(Certificates(), spec.namespace_, name);
  if (!found) return tl::unexpected(found.error());
  const Object certificate = found->value_or(Object{});
  for (const kube::json::value& item : kube::ArrayAt(certificate, "status.conditions")) {
    if (!item.is_object() || kube::StringAt(item.get_object(), "type") != "Ready") continue;
    return ": " + kube::StringAt(item.get_object(), "message");
  }
  return std::string();
}

// `names`: that the certificate has to have. `trusts`: nodes read the authority from it.
Answer<Missing> LookForIssued(const kube::LiveReader& reader, const ClusterSpec& spec, const std::string& name,
                              const std::vector<std::string>& names, bool trusts, bool cert_manager) {
  const auto found = reader.Get(kube::Secrets(), spec.namespace_, name);
  if (!found) return tl::unexpected(found.error());
  const Object secret = found->value_or(Object{});
  if (!Held(secret, "tls.key").empty() && HasNames(Held(secret, "tls.crt"), names)) {
    if (!trusts || !Held(secret, "ca.crt").empty()) return Missing();
    return Missing({"AuthorityMissing", fmt::format("the Secret {} holds no ca.crt: nodes trust each other by it, so "
                                                    "spec.tls.issuerRef has to name an issuer that tells its authority",
                                                    name)});
  }
  if (!cert_manager) return Missing({"CertManagerUnknown", kCertManagerUnknown});
  const auto words = WordsOf(reader, spec, name);
  if (!words) return tl::unexpected(words.error());
  return Missing({"CertificatesPending",
                  fmt::format("cert-manager has not written the Secret {} yet, for which the Certificate of that name "
                              "asks{}",
                              name, *words),
                  /*degraded=*/false});
}

}  // namespace

Answer<Missing> LookForMissing(const kube::LiveReader& reader, const ClusterSpec& spec, const std::string& cluster_id,
                               bool cert_manager) {
  if (spec.AsksForPeerCertificate()) {
    auto missing = LookForIssued(reader, spec, spec.PeerSecretName(), {PeerUri(cluster_id)}, true, cert_manager);
    if (!missing || *missing) return missing;
  } else if (!spec.OwnsPeerSecret() && !spec.tls_peers_secret.empty() && spec.UsesPeerTls()) {
    auto missing = LookForTheirs(reader, spec, spec.PeerSecretName());
    if (!missing || *missing) return missing;
  }
  if (spec.AsksForClientCertificate())
    return LookForIssued(reader, spec, spec.ClientSecretName(), DoorNames(spec), false, cert_manager);
  if (spec.tls_clients == ClusterSpec::ClientTls::kDisabled || spec.OwnsClientSecret()) return Missing();
  return LookForTheirs(reader, spec, spec.ClientSecretName());
}

}  // namespace dynamo::op
