// The part of the acted world in which cert-manager writes Secrets: one issuer for all, and one
// write for each Certificate.
#include <boost/json/array.hpp>

#include "common/base/base64.h"
#include "operator/controller/authority.h"
#include "tests/unit/operator/world.h"

namespace dynamo::op {
namespace {

using kube::Object;

constexpr char kGroup[] = "/apis/cert-manager.io/v1/namespaces/";
constexpr char kAsked[] = "/apis/cert-manager.io/v1/namespaces/shop/certificates";

std::vector<std::string> TextsAt(const Object& object, const char* path) {
  std::vector<std::string> out;
  for (const kube::json::value& text : kube::ArrayAt(object, path)) out.emplace_back(text.get_string());
  return out;
}

}  // namespace

void World::InstallCertManager() {
  api.Do("POST", std::string(kGroup) + "cert-manager/certificates",
         {{"metadata", {{"name", "its-own"}, {"namespace", "cert-manager"}}}});
}

void World::set_issuer_ready(bool ready) {
  const std::lock_guard lock(mutex_);
  issuer_ready_ = ready;
}

void World::ActCertManager() {
  for (const Object& certificate : api.List(kAsked)) {
    const std::string secret = kube::StringAt(certificate, "spec.secretName");
    const LeafWish wish{secret, TextsAt(certificate, "spec.uris"), TextsAt(certificate, "spec.dnsNames")};
    if (!SecretText(secret, "tls.crt").empty()) continue;
    const std::lock_guard lock(mutex_);
    const std::string words = issuer_ready_ ? "up to date" : "the issuer is not ready";
    api.Do("PATCH", std::string(kAsked) + "/" + kube::NameOf(certificate),
           {{"status", {{"conditions", kube::json::array{Object{{"type", "Ready"}, {"message", words}}}}}}});
    if (!issuer_ready_) continue;
    if (issuer_certificate_.empty()) {
      const auto issuer = MakeAuthority("their issuer", clock.Wall(), *DrawP256Key());
      issuer_certificate_ = issuer->certificate, issuer_key_ = issuer->key;
    }
    const auto issued = Issue({issuer_certificate_, issuer_key_}, wish, clock.Wall(), *DrawP256Key());
    api.Do("POST", "/api/v1/namespaces/shop/secrets",
           {{"metadata", {{"name", secret}, {"namespace", "shop"}}},
            {"type", "kubernetes.io/tls"},
            {"data",
             {{"tls.crt", Base64Encode(issued->certificate)},
              {"tls.key", Base64Encode(issued->key)},
              {"ca.crt", Base64Encode(issuer_certificate_)}}}});
  }
}

}  // namespace dynamo::op
