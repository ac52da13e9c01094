// Which certificate is to be made next: a pure function of those that there are, the time,
// and what the nodes use. The Secrets are the record: whoever comes after a dead operator goes
// on from what they hold.
//
// A new authority goes its way in five steps, each waiting for the one before it: it is made,
// trusted beside the old one by all nodes, issues their certificates, becomes the only one that
// issues, and then the old one is trusted no more.
#ifndef DYNAMO_OPERATOR_CLUSTER_CERTIFICATES_H_
#define DYNAMO_OPERATOR_CLUSTER_CERTIFICATES_H_

#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace dynamo::op {

inline constexpr WallMicros kDay = WallMicros{24} * 3600 * 1'000'000;
inline constexpr WallMicros kAuthorityLife = 3650 * kDay, kLeafLife = 90 * kDay;

struct CertificateFacts {
  std::string id;  // Its SHA-256.
  WallMicros not_before = 0, not_after = 0;
  std::vector<std::string> names;  // URIs and host names.

  friend bool operator==(const CertificateFacts&, const CertificateFacts&) = default;
};

enum class CertificateUse { kPeer, kClient };
std::string NameOf(CertificateUse use);  // "peer": as the nodes' settings and figures call it.

// What one use of the nodes has.
struct UseView {
  CertificateUse use = CertificateUse::kPeer;
  std::vector<std::string> names;  // That it is to have.
  std::optional<CertificateFacts> leaf;
  std::string signed_by;             // The id of the present or the next authority; empty: of neither.
  std::vector<std::string> trusted;  // Ids, in order.
  // A running node uses other files than those: whose pod. Empty: none does.
  std::string behind_with_trust, behind_with_leaf;
};

inline constexpr char kCertManagerUnknown[] =
    "the API server knows no Certificate of cert-manager.io/v1: install cert-manager, or let spec.tls.peers be "
    "OperatorManaged or SecretRef";

// A Secret that somebody else writes, and that nodes cannot start with as it is.
struct MissingSecret {
  std::string reason, message;  // As conditions say it.
  bool degraded = true;         // false: cert-manager writes it when it has been asked.
};

struct CertificatesView {
  std::optional<CertificateFacts> authority, next;
  std::string token;          // The last rotation that was asked for.
  std::vector<UseView> uses;  // Those that the operator's own authority issues.
  std::optional<MissingSecret> missing;
};

struct KeepCertificates {
  // kTrustNext: the next authority, or the present one where certificates are of another.
  enum class What { kMakeAuthority, kMakeNext, kTrustNext, kIssue, kPromote, kDropOld };
  What what = What::kMakeAuthority;
  CertificateUse use = CertificateUse::kPeer;  // Of kTrustNext, kIssue, kDropOld.
  bool by_next = false;                        // Of kIssue: all nodes trust the next authority.
  friend bool operator==(const KeepCertificates&, const KeepCertificates&) = default;
};
std::string NameOf(KeepCertificates::What what);

// nullopt: nothing is to be done, or a node is waited for (see WaitsFor).
std::optional<KeepCertificates> NextCertificate(const CertificatesView& view, const std::string& token, WallMicros now);

// What a new authority waits for, for people; empty: there is none, or it waits for nobody.
std::string WaitsFor(const CertificatesView& view);

// Two thirds of its life are over.
bool IsDue(const CertificateFacts& certificate, WallMicros now);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_CERTIFICATES_H_
