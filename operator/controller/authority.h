// Certificates of a cluster's own authority: pure functions of the time and the keys.
#ifndef DYNAMO_OPERATOR_CONTROLLER_AUTHORITY_H_
#define DYNAMO_OPERATOR_CONTROLLER_AUTHORITY_H_

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "operator/cluster/certificates.h"

namespace dynamo::op {

// All PEM.
struct KeyPair {
  std::string certificate, key;
};

// A new private key, PEM: the only thing here that is drawn.
using DrawKey = std::function<Result<std::string>()>;
Result<std::string> DrawP256Key();

// Good for kAuthorityLife from `now` on. kInvalidArgument: the key cannot be read.
Result<KeyPair> MakeAuthority(const std::string& name, WallMicros now, const std::string& key);

// What a certificate is to be good for. `uris` and `hosts`: its alternative names.
struct LeafWish {
  std::string name;
  std::vector<std::string> uris, hosts;
};
// Good for kLeafLife from `now` on, but no longer than its authority; as server, and as
// client where it has a URI.
Result<KeyPair> Issue(const KeyPair& authority, const LeafWish& wish, WallMicros now, const std::string& key);

// All certificates of a PEM text, in order. kCorrupt: one cannot be read.
Result<std::vector<CertificateFacts>> Inspect(const std::string& certificates);
// The first certificate of `leaf` was signed by the first of `authority`.
bool IsSignedBy(const std::string& leaf, const std::string& authority);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_AUTHORITY_H_
