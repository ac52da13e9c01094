#include "common/tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "common/tls/refusal.h"

namespace dynamo {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

Bio Read(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

// Never asks a terminal.
int NoPassword(char*, int, int, void*) { return 0; }

Certificate NextCertificate(BIO* in) { return Certificate(PEM_read_bio_X509(in, nullptr, NoPassword, nullptr)); }

int64_t UnixTime(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

// Texts that belong to a context (the cluster that is wanted) or to a session (what was
// wrong with the certificate), and end with it.
void FreeText(void*, void* text, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(text); }
int WantedIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeText);
  return index;
}
int UseIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int DetailIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeText);
  return index;
}

// The use is kept as a pointer into this, since that is what a context can hold.
constexpr TlsUse kUses[] = {TlsUse::kClient, TlsUse::kPeer, TlsUse::kAdmin};

TlsUse UseOf(const SSL* session) {
  return *static_cast<const TlsUse*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), UseIndex()));
}
const std::string& WantedCluster(const SSL* session) {
  return *static_cast<const std::string*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), WantedIndex()));
}

void KeepDetail(SSL* session, std::string text) {
  delete static_cast<std::string*>(SSL_get_ex_data(session, DetailIndex()));
  SSL_set_ex_data(session, DetailIndex(), new std::string(std::move(text)));
}

// Of those in `certificate` the one that `use` may come with.
std::optional<ClusterName> NameFor(TlsUse use, const X509* certificate, const std::string& cluster) {
  for (ClusterName& name : ClusterNamesOf(certificate)) {
    const bool is_admin = name.kind == ClusterName::Kind::kAdmin;
    if (name.cluster == cluster && is_admin == (use == TlsUse::kAdmin)) return std::move(name);
  }
  return std::nullopt;
}

int Verify(int ok, X509_STORE_CTX* store) {
  auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  const std::string names = certificate == nullptr ? "" : DescribeNames(certificate);
  if (ok == 0) {
    const int error = X509_STORE_CTX_get_error(store);
    KeepDetail(session, fmt::format("certificate of {}: {}", names, X509_verify_cert_error_string(error)));
    return 0;
  }
  if (X509_STORE_CTX_get_error_depth(store) > 0) return 1;
  const TlsUse use = UseOf(session);
  const std::string& cluster = WantedCluster(session);
  if (NameFor(use, certificate, cluster)) return 1;
  KeepDetail(session, fmt::format("certificate of {}: wanted dynamo://{}{}", names, cluster,
                                  use == TlsUse::kAdmin ? "/admin" : ""));
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

Error Wrong(const char* file, const std::string& how) {
  return {Errc::kInvalidArgument, fmt::format("{}: {}", file, how)};
}

Status CheckTimes(const X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    const std::time_t when = UnixTime(X509_get0_notAfter(certificate));
    std::tm parts{};
    gmtime_r(&when, &parts);
    return Fail(
        Wrong("tls.crt", fmt::format("expired at {:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900,
                                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec)));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) return Fail(Wrong("tls.crt", "is not valid yet"));
  return {};
}

}  // namespace

std::string_view TlsUseName(TlsUse use) {
  switch (use) {
    case TlsUse::kClient: return "client";
    case TlsUse::kPeer: return "peer";
    case TlsUse::kAdmin: break;
  }
  return "admin";
}

void FreeTlsSession::operator()(SSL* session) const { SSL_free(session); }

Result<std::shared_ptr<const TlsContext>> TlsContext::Make(TlsUse use, const TlsFiles& files) {
  ERR_clear_error();
  SSL_CTX* made = SSL_CTX_new(TLS_method());
  if (made == nullptr) return Fail(Errc::kInternal, "OpenSSL makes no context: " + TakeOpensslError());
  std::shared_ptr<TlsContext> context(new TlsContext(use, made));
  if (Status loaded = context->LoadCertificate(files); !loaded) return Fail(std::move(loaded.error()));
  const bool authorities = use != TlsUse::kClient && !files.authorities.empty();
  if (use == TlsUse::kPeer && !authorities) return Fail(Wrong("ca.crt", "is needed: who signs the other nodes"));
  if (authorities) {
    if (Status loaded = context->LoadAuthorities(files.authorities); !loaded) return Fail(std::move(loaded.error()));
    if (context->cluster_.empty()) {
      return Fail(Wrong("tls.crt", "names no cluster: want a URI dynamo://CLUSTER among the alternative names"));
    }
  }
  if (Status done = context->Configure(authorities); !done) return Fail(std::move(done.error()));
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

TlsSession TlsContext::NewSession() const { return TlsSession(SSL_new(context_)); }

Status TlsContext::LoadCertificate(const TlsFiles& files) {
  const Bio in = Read(files.certificate);
  const Certificate own = NextCertificate(in.get());
  if (!own) return Fail(Wrong("tls.crt", "holds no certificate in PEM: " + TakeOpensslError()));
  if (Status valid = CheckTimes(own.get()); !valid) return valid;
  if (SSL_CTX_use_certificate(context_, own.get()) != 1) return Fail(Wrong("tls.crt", TakeOpensslError()));
  while (const Certificate next = NextCertificate(in.get())) {
    if (SSL_CTX_add1_chain_cert(context_, next.get()) != 1) return Fail(Wrong("tls.crt", TakeOpensslError()));
  }
  ERR_clear_error();  // The end of the file.
  const Bio key_in = Read(files.key);
  const PrivateKey key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, NoPassword, nullptr));
  if (!key) return Fail(Wrong("tls.key", "holds no key in PEM without a password: " + TakeOpensslError()));
  if (SSL_CTX_use_PrivateKey(context_, key.get()) != 1 || SSL_CTX_check_private_key(context_) != 1) {
    return Fail(Wrong("tls.key", "is not the key of tls.crt: " + TakeOpensslError()));
  }
  expires_ = UnixTime(X509_get0_notAfter(own.get()));
  for (const ClusterName& name : ClusterNamesOf(own.get())) {
    if (name.kind == ClusterName::Kind::kAdmin) continue;  // Of people, not of a node.
    cluster_ = name.cluster;
    break;
  }
  return {};
}

// Several are trusted alike, so that an old and a new one can overlap.
Status TlsContext::LoadAuthorities(const std::string& pem) {
  const Bio in = Read(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  while (const Certificate next = NextCertificate(in.get())) {
    if (X509_STORE_add_cert(store, next.get()) != 1) return Fail(Wrong("ca.crt", TakeOpensslError()));
    if (use_ == TlsUse::kAdmin) SSL_CTX_add_client_CA(context_, next.get());
    const int64_t ends = UnixTime(X509_get0_notAfter(next.get()));
    authorities_expire_ = std::min(ends, authorities_expire_.value_or(ends));
    last_authority_expires_ = std::max(ends, last_authority_expires_.value_or(ends));
  }
  ERR_clear_error();
  if (!authorities_expire_) return Fail(Wrong("ca.crt", "holds no certificate in PEM"));
  return {};
}

Status TlsContext::Configure(bool authorities) {
  SSL_CTX_set_min_proto_version(context_, use_ == TlsUse::kPeer ? TLS1_3_VERSION : TLS1_2_VERSION);
  // Nothing is resumed: who comes again is verified again, by today's authorities.
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context_, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(context_, 0);
  SSL_CTX_set_mode(context_,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_ex_data(context_, WantedIndex(), new std::string(cluster_));
  const TlsUse* use = std::ranges::find(kUses, use_);
  SSL_CTX_set_ex_data(context_, UseIndex(), const_cast<TlsUse*>(use));
  int verify = SSL_VERIFY_NONE;
  if (authorities) verify = SSL_VERIFY_PEER;
  if (use_ == TlsUse::kPeer) verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context_, verify, Verify);
  return {};
}

std::string TlsContext::VerificationDetail(const SSL* session) {
  const auto* detail = static_cast<const std::string*>(SSL_get_ex_data(session, DetailIndex()));
  return detail == nullptr ? "" : *detail;
}

std::optional<ClusterName> PeerName(const SSL* session, TlsUse use) {
  const X509* certificate = SSL_get0_peer_certificate(session);
  return certificate == nullptr ? std::nullopt : NameFor(use, certificate, WantedCluster(session));
}

}  // namespace dynamo
