#include "operator/cluster/certificates.h"

#include <algorithm>

namespace dynamo::op {
namespace {

using What = KeepCertificates::What;

bool Trusts(const UseView& use, const std::string& id) {
  return std::ranges::find(use.trusted, id) != use.trusted.end();
}

// Missing, about to end, or of other names.
bool NeedsLeaf(const UseView& use, WallMicros now) {
  if (!use.leaf || IsDue(*use.leaf, now)) return true;
  return std::ranges::any_of(use.names, [&](const std::string& name) {
    return std::ranges::find(use.leaf->names, name) == use.leaf->names.end();
  });
}

bool AllTrustNext(const CertificatesView& view) {
  return view.next && std::ranges::all_of(view.uses, [&](const UseView& use) {
           return use.behind_with_trust.empty() && !use.trusted.empty() && use.trusted.front() == view.next->id;
         });
}

bool AllUseTheirs(const CertificatesView& view) {
  return std::ranges::all_of(view.uses, [](const UseView& use) { return use.behind_with_leaf.empty(); });
}

// The new one first: by its end a node says that it has read both.
std::optional<KeepCertificates> Rotate(const CertificatesView& view) {
  const std::string& next = view.next->id;
  for (const UseView& use : view.uses) {
    if (use.trusted.empty() || use.trusted.front() != next) return KeepCertificates{What::kTrustNext, use.use};
  }
  for (const UseView& use : view.uses) {
    if (use.signed_by == next) continue;
    if (!AllTrustNext(view)) return std::nullopt;
    return KeepCertificates{What::kIssue, use.use, /*by_next=*/true};
  }
  if (!AllUseTheirs(view)) return std::nullopt;
  return KeepCertificates{What::kPromote};
}

}  // namespace

namespace {

// Of an authority that is there no more, and good otherwise: the one that there is has to be
// trusted before it issues.
std::optional<KeepCertificates> Adopt(const CertificatesView& view, const UseView& use) {
  if (use.trusted.empty() || use.trusted.front() != view.authority->id) {
    return KeepCertificates{What::kTrustNext, use.use};
  }
  if (!use.behind_with_trust.empty()) return std::nullopt;
  return KeepCertificates{What::kIssue, use.use};
}

}  // namespace

std::string NameOf(CertificateUse use) { return use == CertificateUse::kPeer ? "peer" : "client"; }

std::string NameOf(What what) {
  switch (what) {
    case What::kMakeAuthority: return "make the authority";
    case What::kMakeNext: return "make the next authority";
    case What::kTrustNext: return "trust the new authority";
    case What::kIssue: return "issue";
    case What::kPromote: return "promote the next authority";
    case What::kDropOld: return "trust the old authority no more";
  }
  return "unknown";
}

bool IsDue(const CertificateFacts& certificate, WallMicros now) {
  if (now >= certificate.not_after) return true;
  return (certificate.not_after - now) * 3 <= certificate.not_after - std::min(certificate.not_before, now);
}

std::optional<KeepCertificates> NextCertificate(const CertificatesView& view, const std::string& token,
                                                WallMicros now) {
  if (view.uses.empty()) return std::nullopt;
  if (!view.authority) return KeepCertificates{What::kMakeAuthority};
  for (const UseView& use : view.uses) {
    if (NeedsLeaf(use, now)) return KeepCertificates{What::kIssue, use.use, AllTrustNext(view)};
  }
  for (const UseView& use : view.uses) {
    if (use.signed_by.empty() && !view.next) return Adopt(view, use);
  }
  if (view.next) return Rotate(view);
  for (const UseView& use : view.uses) {
    const bool alone = use.trusted.size() == 1 && Trusts(use, view.authority->id);
    if (alone) continue;
    if (!AllUseTheirs(view)) return std::nullopt;
    return KeepCertificates{What::kDropOld, use.use};
  }
  if (token != view.token || IsDue(*view.authority, now)) return KeepCertificates{What::kMakeNext};
  return std::nullopt;
}

std::string WaitsFor(const CertificatesView& view) {
  for (const UseView& use : view.uses) {
    const bool issued = view.next ? use.signed_by == view.next->id : !use.signed_by.empty();
    if (!use.behind_with_trust.empty() && !issued) {
      return use.behind_with_trust + " does not say yet that it trusts the new authority";
    }
  }
  for (const UseView& use : view.uses) {
    if (!use.behind_with_leaf.empty()) {
      return use.behind_with_leaf + " does not say yet that it uses its new certificate";
    }
  }
  return "";
}

}  // namespace dynamo::op
