// Why a connection was refused, in words that a metric and a log line can use.
#ifndef DYNAMO_COMMON_TLS_REFUSAL_H_
#define DYNAMO_COMMON_TLS_REFUSAL_H_

#include <openssl/types.h>

#include <string>
#include <string_view>

namespace dynamo {

enum class TlsReason {
  kPlaintext,         // The other side does not speak TLS.
  kExpired,           // Its certificate is, or is not valid yet.
  kUnknownAuthority,  // Nobody whom we trust has signed its certificate.
  kWrongName,         // Its certificate is of another cluster, or of something else.
  kNoCertificate,     // It has shown none.
  kRefusedByPeer,     // It has refused us, and knows why.
  kProtocol,          // Anything else that is no TLS as we speak it.
};
inline constexpr TlsReason kTlsReasons[] = {
    TlsReason::kPlaintext,     TlsReason::kExpired,       TlsReason::kUnknownAuthority, TlsReason::kWrongName,
    TlsReason::kNoCertificate, TlsReason::kRefusedByPeer, TlsReason::kProtocol};

// "unknown_ca"; stable, the metric's label.
std::string_view TlsReasonName(TlsReason reason);

struct TlsRefusal {
  TlsReason reason = TlsReason::kProtocol;
  std::string detail;  // For people; whose certificate, and what was wanted.
};

// After a handshake that failed with `error` (of OpenSSL; 0: unknown).
TlsRefusal TlsRefusalOf(const SSL* session, unsigned long error);

// What the last call of OpenSSL on this thread says was wrong; forgets it.
std::string TakeOpensslError();

}  // namespace dynamo

#endif  // DYNAMO_COMMON_TLS_REFUSAL_H_
