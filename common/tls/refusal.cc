#include "common/tls/refusal.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>

#include "common/tls/context.h"

namespace dynamo {
namespace {

TlsReason ReasonOfVerification(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return TlsReason::kExpired;
    case X509_V_ERR_APPLICATION_VERIFICATION:
    case X509_V_ERR_INVALID_PURPOSE: return TlsReason::kWrongName;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return TlsReason::kUnknownAuthority;
    default: return TlsReason::kProtocol;
  }
}

std::string TextOf(unsigned long error) {
  std::array<char, 256> text{};
  ERR_error_string_n(error, text.data(), text.size());
  return text.data();
}

}  // namespace

std::string_view TlsReasonName(TlsReason reason) {
  switch (reason) {
    case TlsReason::kPlaintext: return "plaintext";
    case TlsReason::kExpired: return "expired";
    case TlsReason::kUnknownAuthority: return "unknown_ca";
    case TlsReason::kWrongName: return "wrong_name";
    case TlsReason::kNoCertificate: return "no_certificate";
    case TlsReason::kRefusedByPeer: return "refused_by_peer";
    case TlsReason::kProtocol: break;
  }
  return "protocol";
}

TlsRefusal TlsRefusalOf(const SSL* session, unsigned long error) {
  if (const long result = SSL_get_verify_result(session); result != X509_V_OK) {
    const std::string whose = TlsContext::VerificationDetail(session);
    return {ReasonOfVerification(result), whose.empty() ? X509_verify_cert_error_string(result) : whose};
  }
  if (error == 0) return {TlsReason::kProtocol, "the handshake broke off"};
  const int reason = ERR_GET_REASON(error);
  // OpenSSL's reasons above this are the alerts that the other side has sent.
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    return {TlsReason::kRefusedByPeer, TextOf(error)};
  }
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return {TlsReason::kNoCertificate, TextOf(error)};
    case SSL_R_HTTP_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER: return {TlsReason::kPlaintext, TextOf(error)};
    default: return {TlsReason::kProtocol, TextOf(error)};
  }
}

std::string TakeOpensslError() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  return error == 0 ? "unknown error" : TextOf(error);
}

}  // namespace dynamo
