#include "operator/controller/certificate_secrets.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <utility>

#include "common/base/base64.h"
#include "operator/cluster/objects.h"
#include "operator/controller/missing_secret.h"

namespace dynamo::op {
namespace {

using kube::Answer;
using kube::ApiError;
using kube::Object;
namespace json = kube::json;
using What = KeepCertificates::What;

constexpr char kRotated[] = "dynamo.internal/rotate-token";

tl::unexpected<ApiError> Because(const Error& error) {
  return tl::unexpected(ApiError{ApiError::Kind::kInvalid, 0, "", error.message});
}
tl::unexpected<ApiError> Overtaken(const std::string& message) {
  return tl::unexpected(ApiError{ApiError::Kind::kConflict, 409, "", message});
}

// What cannot be read is as good as not there: it is made anew.
std::optional<CertificateFacts> FirstOf(const std::string& certificates) {
  const auto facts = Inspect(certificates);
  if (!facts || facts->empty()) return std::nullopt;
  return facts->front();
}

LeafWish WishFor(const ClusterSpec& spec, const std::string& cluster_id, CertificateUse use) {
  if (use == CertificateUse::kPeer) return {"dynamo node of " + spec.name, {PeerUri(cluster_id)}, {}};
  return {"dynamo " + spec.name, {}, DoorNames(spec)};
}

std::vector<CertificateUse> OwnUses(const ClusterSpec& spec) {
  std::vector<CertificateUse> uses;
  if (spec.OwnsPeerSecret()) uses.push_back(CertificateUse::kPeer);
  if (spec.OwnsClientSecret()) uses.push_back(CertificateUse::kClient);
  return uses;
}
std::string SecretOf(const ClusterSpec& spec, CertificateUse use) {
  return use == CertificateUse::kPeer ? spec.PeerSecretName() : spec.ClientSecretName();
}

UseView ReadUse(const Object& secret, const Object& authority, const ClusterSpec& spec, const std::string& cluster_id,
                CertificateUse use) {
  UseView view;
  view.use = use;
  LeafWish wish = WishFor(spec, cluster_id, use);
  view.names = std::move(wish.uris);
  view.names.insert(view.names.end(), wish.hosts.begin(), wish.hosts.end());
  const std::string leaf = Held(secret, "tls.crt");
  view.leaf = Held(secret, "tls.key").empty() ? std::nullopt : FirstOf(leaf);
  for (const char* name : {"next.crt", "tls.crt"}) {
    const std::string signer = Held(authority, name);
    if (view.leaf && !signer.empty() && IsSignedBy(leaf, signer)) view.signed_by = FirstOf(signer)->id;
  }
  const auto trusted = Inspect(Held(secret, "ca.crt"));
  if (!trusted) return view;
  for (const CertificateFacts& each : *trusted) view.trusted.push_back(each.id);
  return view;
}

// The figure's value in Unix seconds; 0: there is none.
double FigureIn(const std::string& metrics, const char* name, CertificateUse use) {
  const std::string line = fmt::format("{}{{use=\"{}\"}} ", name, NameOf(use));
  const size_t at = metrics.find(line);
  return at == std::string::npos ? 0 : std::strtod(metrics.c_str() + at + line.size(), nullptr);
}
bool Ends(double seconds, WallMicros at) { return std::abs(seconds - static_cast<double>(at) / 1e6) < 2; }

// What the nodes use, by the ends of their certificates. Who does not say it is behind.
void AskNodes(const NodeAdminOptions& options, const Observed& observed, CertificatesView* view) {
  for (const NodeView& node : observed.nodes) {
    // A pod that is yet to come starts with what there is then.
    if (!node.pod_exists || node.pod_deleting) continue;
    const auto metrics = node.pod_address.empty() ? Result<std::string>(Fail(Errc::kUnavailable, "no address"))
                                                  : admin::Client(options.endpoint(node), options.timeout).GetMetrics();
    for (UseView& use : view->uses) {
      const double trusted =
          metrics ? FigureIn(*metrics, "dynamo_tls_last_authority_expiry_timestamp_seconds", use.use) : 0;
      const double leaf = metrics ? FigureIn(*metrics, "dynamo_tls_certificate_expiry_timestamp_seconds", use.use) : 0;
      // Doors read no authorities.
      const bool reads = use.use == CertificateUse::kPeer;
      const auto& newest = view->next ? view->next : view->authority;
      if (newest && reads && !Ends(trusted, newest->not_after)) use.behind_with_trust = node.name;
      if (use.leaf && !Ends(leaf, use.leaf->not_after)) use.behind_with_leaf = node.name;
    }
  }
}

// All certificates of these texts, in order, each once.
std::string Bundle(const std::vector<std::string>& texts) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  std::string out;
  for (const std::string& text : texts) {
    for (size_t at = text.find(kBegin); at != std::string::npos;) {
      const size_t next = text.find(kBegin, at + 1);
      const std::string one = text.substr(at, next == std::string::npos ? next : next - at);
      if (out.find(one) == std::string::npos) out += one;
      at = next;
    }
  }
  return out;
}

struct Keeper {
  kube::RestClient* client;
  const ClusterSpec& spec;
  const std::string& cluster_id;
  const KeepCertificates& step;
  const DrawKey& draw_key;
  Object authority;  // Empty: there is none.

  WallMicros Now() const { return client->clock()->Wall(); }
  std::string SignerName() const { return fmt::format("dynamo {}/{}", spec.namespace_, spec.name); }

  Answer<void> Write(const Object& before, const std::string& name, const char* type, Object data,
                     Object annotations) const {
    for (auto& field : data) {
      if (field.value().is_string()) field.value() = Base64Encode(std::string(field.value().get_string()));
    }
    Object metadata = before.empty() ? Metadata(spec, name) : Object{};
    if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
    Object secret{{"metadata", std::move(metadata)}, {"data", std::move(data)}};
    if (before.empty()) {
      secret["apiVersion"] = "v1", secret["kind"] = "Secret", secret["type"] = type;
      const auto made = client->Create(kube::Secrets(), secret);
      return made ? Answer<void>() : tl::unexpected(made.error());
    }
    secret["metadata"].get_object()["resourceVersion"] = kube::ResourceVersionOf(before);
    const auto written = client->MergePatch(kube::Secrets(), spec.namespace_, name, secret);
    return written ? Answer<void>() : tl::unexpected(written.error());
  }
  Object Token() const { return {{kRotated, spec.tls_rotate_token}}; }

  Answer<void> MakeAuthorityAs(const char* certificate, const char* key) const {
    const auto drawn = draw_key();
    if (!drawn) return Because(drawn.error());
    const auto made = MakeAuthority(SignerName(), Now(), *drawn);
    if (!made) return Because(made.error());
    return Write(authority, spec.AuthorityName(), "Opaque", {{certificate, made->certificate}, {key, made->key}},
                 Token());
  }
  Answer<void> Promote() const {
    const std::string certificate = Held(authority, "next.crt"), key = Held(authority, "next.key");
    if (certificate.empty() || key.empty()) return Overtaken("there is no next authority");
    return Write(authority, spec.AuthorityName(), "Opaque",
                 {{"tls.crt", certificate}, {"tls.key", key}, {"next.crt", nullptr}, {"next.key", nullptr}}, {});
  }
  Answer<void> WriteUse() const {
    const std::string name = SecretOf(spec, step.use);
    const auto before = kube::LiveReader(client).Get(kube::Secrets(), spec.namespace_, name);
    if (!before) return tl::unexpected(before.error());
    const Object there = before->value_or(Object{});
    const std::string now = Held(authority, "tls.crt"), next = Held(authority, "next.crt");
    Object data;
    if (step.what == What::kTrustNext) data["ca.crt"] = Bundle({next, now, Held(there, "ca.crt")});
    if (step.what == What::kDropOld) data["ca.crt"] = now;
    if (step.what == What::kIssue) {
      // What was trusted stays trusted: certificates that go out are still in use.
      data["ca.crt"] = step.by_next ? Bundle({next, now, Held(there, "ca.crt")}) : Bundle({Held(there, "ca.crt"), now});
      const auto drawn = draw_key();
      if (!drawn) return Because(drawn.error());
      const KeyPair signer{step.by_next ? next : now, Held(authority, step.by_next ? "next.key" : "tls.key")};
      const auto made = Issue(signer, WishFor(spec, cluster_id, step.use), Now(), *drawn);
      if (!made) return Because(made.error());
      data["tls.crt"] = made->certificate;
      data["tls.key"] = made->key;
    }
    return Write(there, name, "kubernetes.io/tls", std::move(data), {});
  }
};

}  // namespace

std::string Held(const Object& secret, const char* name) {
  const json::value* data = kube::Find(secret, "data");
  const json::value* value = data == nullptr || !data->is_object() ? nullptr : data->get_object().if_contains(name);
  if (value == nullptr || !value->is_string()) return "";
  return Base64Decode(std::string(value->get_string())).value_or("");
}

Answer<std::optional<CertificatesView>> LookForCertificates(const kube::LiveReader& reader, const ClusterSpec& spec,
                                                            const std::string& cluster_id,
                                                            const NodeAdminOptions& nodes, const Observed& observed) {
  const bool clients = spec.tls_clients != ClusterSpec::ClientTls::kDisabled;
  if (cluster_id.empty() || (!spec.UsesPeerTls() && !clients)) return std::optional<CertificatesView>();
  CertificatesView view;
  const auto uses = OwnUses(spec);
  Object authority;
  if (!uses.empty()) {
    const auto found = reader.Get(kube::Secrets(), spec.namespace_, spec.AuthorityName());
    if (!found) return tl::unexpected(found.error());
    authority = found->value_or(Object{});
    if (!Held(authority, "tls.key").empty()) view.authority = FirstOf(Held(authority, "tls.crt"));
    if (!Held(authority, "next.key").empty()) view.next = FirstOf(Held(authority, "next.crt"));
    const json::value* annotations = kube::Find(authority, "metadata.annotations");
    const json::value* token = annotations == nullptr ? nullptr : annotations->get_object().if_contains(kRotated);
    if (token != nullptr && token->is_string()) view.token = std::string(token->get_string());
  }
  bool rotates = view.next.has_value();
  for (const CertificateUse use : uses) {
    const auto found = reader.Get(kube::Secrets(), spec.namespace_, SecretOf(spec, use));
    if (!found) return tl::unexpected(found.error());
    view.uses.push_back(ReadUse(found->value_or(Object{}), authority, spec, cluster_id, use));
    rotates = rotates || view.uses.back().trusted.size() != 1 || view.uses.back().signed_by.empty();
  }
  if (rotates) AskNodes(nodes, observed, &view);
  auto missing = LookForMissing(reader, spec, cluster_id, observed.cert_manager);
  if (!missing) return tl::unexpected(missing.error());
  view.missing = std::move(*missing);
  return std::optional<CertificatesView>(std::move(view));
}

Answer<void> Keep(kube::RestClient* client, const ClusterSpec& spec, const std::string& cluster_id,
                  const KeepCertificates& step, const DrawKey& draw_key) {
  const auto found = kube::LiveReader(client).Get(kube::Secrets(), spec.namespace_, spec.AuthorityName());
  if (!found) return tl::unexpected(found.error());
  const Keeper keeper{client, spec, cluster_id, step, draw_key, found->value_or(Object{})};
  switch (step.what) {
    case What::kMakeAuthority: return keeper.MakeAuthorityAs("tls.crt", "tls.key");
    case What::kMakeNext: return keeper.MakeAuthorityAs("next.crt", "next.key");
    case What::kPromote: return keeper.Promote();
    default: return keeper.WriteUse();
  }
}

}  // namespace dynamo::op
