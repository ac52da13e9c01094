#include "operator/controller/authority.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <string_view>

namespace dynamo::op {
namespace {

// Clocks differ: what was issued now is good everywhere at once.
constexpr WallMicros kBackdated = WallMicros{3600} * 1'000'000;

template <auto Free>
struct OpensslFree {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, OpensslFree<X509_free>>;
using Memory = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;

auto Broken(const char* what) { return Fail(Errc::kInvalidArgument, fmt::format("{} cannot be made or read", what)); }

Memory Reading(const std::string& text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string TextOf(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<size_t>(size)};
}

Key ReadKey(const std::string& pem) {
  return Key(PEM_read_bio_PrivateKey(Reading(pem).get(), nullptr, nullptr, nullptr));
}
Certificate ReadCertificate(const std::string& pem) {
  return Certificate(PEM_read_bio_X509(Reading(pem).get(), nullptr, nullptr, nullptr));
}

std::string Hex(const unsigned char* bytes, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fmt::format("{:02x}", bytes[i]);
  return out;
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// 16 bytes of what is hashed: no other certificate of this authority is of that key and time.
bool SetSerial(X509* certificate, EVP_PKEY* key, WallMicros now) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return false;
  std::string hashed(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  hashed += std::to_string(now);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(hashed.data(), hashed.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) return false;
  digest[0] &= 0x7f;  // Never negative.
  const std::unique_ptr<BIGNUM, OpensslFree<BN_free>> number(BN_bin2bn(digest.data(), 16, nullptr));
  return number != nullptr && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetTimes(X509* certificate, WallMicros from, WallMicros until) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(from / 1'000'000)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(until / 1'000'000)) != nullptr;
}

bool SetSubject(X509* certificate, const std::string& name) {
  // At most 64 characters stand there; who it is stands among the alternative names.
  const std::string common = name.substr(0, 64);
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common.data()),
                                    static_cast<int>(common.size()), -1, 0) == 1;
}

Certificate Begin(const std::string& name, EVP_PKEY* key, WallMicros now, WallMicros until) {
  Certificate made(X509_new());
  const bool well = made != nullptr && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
                    SetSerial(made.get(), key, now) && SetTimes(made.get(), now - kBackdated, until) &&
                    X509_set_pubkey(made.get(), key) == 1 && SetSubject(made.get(), name);
  return well ? std::move(made) : nullptr;
}

Result<std::string> Signed(X509* certificate, EVP_PKEY* key) {
  const Memory out(BIO_new(BIO_s_mem()));
  if (X509_sign(certificate, key, EVP_sha256()) == 0 || PEM_write_bio_X509(out.get(), certificate) != 1) {
    return Broken("the certificate");
  }
  return TextOf(out.get());
}

WallMicros MicrosOf(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return 0;
  return static_cast<WallMicros>(timegm(&utc)) * 1'000'000;
}

void ReadNames(const X509* certificate, CertificateFacts* facts) {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI && name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* text = name->d.ia5;
    facts->names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                              static_cast<size_t>(ASN1_STRING_length(text)));
  }
}

CertificateFacts FactsOf(const X509* certificate) {
  CertificateFacts facts;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) == 1) facts.id = Hex(digest.data(), length);
  facts.not_before = MicrosOf(X509_get0_notBefore(certificate));
  facts.not_after = MicrosOf(X509_get0_notAfter(certificate));
  ReadNames(certificate, &facts);
  return facts;
}

}  // namespace

Result<std::string> DrawP256Key() {
  const Key key(EVP_EC_gen("P-256"));
  const Memory out(BIO_new(BIO_s_mem()));
  if (key == nullptr || PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return Broken("a private key");
  return TextOf(out.get());
}

Result<KeyPair> MakeAuthority(const std::string& name, WallMicros now, const std::string& key) {
  const Key own = ReadKey(key);
  if (own == nullptr) return Broken("the authority's key");
  const Certificate made = Begin(name, own.get(), now, now + kAuthorityLife);
  const bool well = made != nullptr && X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1 &&
                    AddExtension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    AddExtension(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    AddExtension(made.get(), made.get(), NID_subject_key_identifier, "hash");
  if (!well) return Broken("the authority");
  auto text = Signed(made.get(), own.get());
  if (!text) return Fail(text.error());
  return KeyPair{std::move(*text), key};
}

Result<KeyPair> Issue(const KeyPair& authority, const LeafWish& wish, WallMicros now, const std::string& key) {
  const Key own = ReadKey(key), signer = ReadKey(authority.key);
  const Certificate issuer = ReadCertificate(authority.certificate);
  if (own == nullptr || signer == nullptr || issuer == nullptr) return Broken("the key or its authority");
  const WallMicros until = std::min(now + kLeafLife, MicrosOf(X509_get0_notAfter(issuer.get())));
  const Certificate made = Begin(wish.name, own.get(), now, until);
  std::vector<std::string> names;
  names.reserve(wish.uris.size() + wish.hosts.size());
  for (const std::string& uri : wish.uris) names.push_back("URI:" + uri);
  for (const std::string& host : wish.hosts) names.push_back("DNS:" + host);
  const char* usage = wish.uris.empty() ? "serverAuth" : "serverAuth,clientAuth";
  const bool well =
      made != nullptr && X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get())) == 1 &&
      AddExtension(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      AddExtension(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      AddExtension(made.get(), issuer.get(), NID_ext_key_usage, usage) &&
      AddExtension(made.get(), issuer.get(), NID_subject_key_identifier, "hash") &&
      AddExtension(made.get(), issuer.get(), NID_authority_key_identifier, "keyid") &&
      AddExtension(made.get(), issuer.get(), NID_subject_alt_name, fmt::format("{}", fmt::join(names, ",")));
  if (!well) return Broken("the certificate");
  auto text = Signed(made.get(), signer.get());
  if (!text) return Fail(text.error());
  return KeyPair{std::move(*text), key};
}

Result<std::vector<CertificateFacts>> Inspect(const std::string& certificates) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  std::vector<CertificateFacts> out;
  for (size_t at = certificates.find(kBegin); at != std::string::npos; at = certificates.find(kBegin, at + 1)) {
    const Certificate read = ReadCertificate(certificates.substr(at));
    if (read == nullptr)
      return Fail(Errc::kCorrupt, fmt::format("certificate {} of the text cannot be read", out.size()));
    out.push_back(FactsOf(read.get()));
  }
  return out;
}

bool IsSignedBy(const std::string& leaf, const std::string& authority) {
  const Certificate issued = ReadCertificate(leaf), issuer = ReadCertificate(authority);
  if (issued == nullptr || issuer == nullptr) return false;
  return X509_verify(issued.get(), X509_get0_pubkey(issuer.get())) == 1;
}

}  // namespace dynamo::op
