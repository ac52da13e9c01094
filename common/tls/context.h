// What new connections of one use are made with: certificate, key, whom to trust.
#ifndef DYNAMO_COMMON_TLS_CONTEXT_H_
#define DYNAMO_COMMON_TLS_CONTEXT_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/tls/files.h"
#include "common/tls/names.h"

namespace dynamo {

// Clients are shown a certificate and asked for none. Peers show one each, of one cluster,
// and speak TLS 1.3. Administrators may show one.
enum class TlsUse { kClient, kPeer, kAdmin };
// "client"; the metrics' label.
std::string_view TlsUseName(TlsUse use);

struct FreeTlsSession {
  void operator()(SSL* session) const;
};
using TlsSession = std::unique_ptr<SSL, FreeTlsSession>;

// Immutable, for any thread.
class TlsContext {
 public:
  // kInvalidArgument: names the file that is wrong, and how: no PEM, expired, a key of another
  // certificate, no authority or no cluster's name where one is needed.
  static Result<std::shared_ptr<const TlsContext>> Make(TlsUse use, const TlsFiles& files);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // The state of one connection; goes on after this is replaced.
  TlsSession NewSession() const;

  // What our certificate says; empty: nothing.
  const std::string& cluster() const { return cluster_; }
  // Unix time. Of the authorities the first and the last that ends; nullopt: there are none.
  int64_t expires() const { return expires_; }
  std::optional<int64_t> authorities_expire() const { return authorities_expire_; }
  std::optional<int64_t> last_authority_expires() const { return last_authority_expires_; }

  // Whose certificate failed the verification, and what was wanted; empty: not known.
  static std::string VerificationDetail(const SSL* session);

 private:
  TlsContext(TlsUse use, SSL_CTX* context) : use_(use), context_(context) {}
  Status LoadCertificate(const TlsFiles& files);
  Status LoadAuthorities(const std::string& pem);
  Status Configure(bool authorities);

  TlsUse use_;
  SSL_CTX* context_;  // Owned.
  std::string cluster_;
  int64_t expires_ = 0;
  std::optional<int64_t> authorities_expire_, last_authority_expires_;
};

// After the handshake: the name of the other side's certificate that counts for `use`;
// nullopt: it has shown none.
std::optional<ClusterName> PeerName(const SSL* session, TlsUse use);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_TLS_CONTEXT_H_
