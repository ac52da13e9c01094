#include "tests/lib/tls/test_authority.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>

#include "common/base/check.h"

namespace dynamo {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using TestKey = std::unique_ptr<EVP_PKEY, FreeKey>;
using TestCertificate = std::unique_ptr<X509, FreeCertificate>;

template <class Write>
std::string Pem(const Write& write) {
  BIO* out = BIO_new(BIO_s_mem());
  write(out);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(out);
  return text;
}

void SetSubject(X509* certificate, const std::string& name) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
}

TestCertificate NewCertificate(const std::string& name, EVP_PKEY* key, std::chrono::seconds from,
                               std::chrono::seconds until) {
  TestCertificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  uint64_t serial = 0;
  DYNAMO_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until.count());
  X509_set_pubkey(certificate.get(), key);
  SetSubject(certificate.get(), name);
  return certificate;
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  DYNAMO_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string AlternativeNamesOf(const WantedCertificate& wanted) {
  std::string names;
  const auto add = [&names](const char* kind, const std::string& name) {
    names += (names.empty() ? "" : ",") + std::string(kind) + name;
  };
  for (const std::string& uri : wanted.uris) add("URI:", uri);
  for (const std::string& host : wanted.hosts) {
    const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
    add(numeric ? "IP:" : "DNS:", host);
  }
  return names;
}

}  // namespace

struct TestAuthority::State {
  TestKey key;
  TestCertificate certificate;
};

TestAuthority::TestAuthority(const std::string& name, std::chrono::hours life) : state_(std::make_unique<State>()) {
  state_->key.reset(EVP_EC_gen("P-256"));
  state_->certificate = NewCertificate(name, state_->key.get(), std::chrono::hours(-24 * 30), life);
  X509* certificate = state_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, NID_key_usage, "critical,keyCertSign");
  AddExtension(certificate, NID_subject_key_identifier, "hash");
  DYNAMO_CHECK(X509_sign(certificate, state_->key.get(), EVP_sha256()) != 0);
  pem_ = Pem([&](BIO* out) { PEM_write_bio_X509(out, certificate); });
}

TestAuthority::~TestAuthority() = default;

TlsFiles TestAuthority::Issue(const WantedCertificate& wanted) const {
  const TestKey key(EVP_EC_gen("P-256"));
  const TestCertificate made = NewCertificate("somebody", key.get(), wanted.valid_from, wanted.valid_until);
  X509_set_issuer_name(made.get(), X509_get_subject_name(state_->certificate.get()));
  AddExtension(made.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  if (const std::string names = AlternativeNamesOf(wanted); !names.empty()) {
    AddExtension(made.get(), NID_subject_alt_name, names);
  }
  DYNAMO_CHECK(X509_sign(made.get(), state_->key.get(), EVP_sha256()) != 0);
  TlsFiles files;
  files.certificate = Pem([&](BIO* out) { PEM_write_bio_X509(out, made.get()); });
  files.key = Pem([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  files.authorities = pem_;
  return files;
}

void WriteTlsFolder(const std::string& folder, const TlsFiles& files) {
  namespace fs = std::filesystem;
  const fs::path root(folder);
  const fs::path link = root / "..data";
  fs::create_directories(root);
  const fs::path before = fs::is_symlink(link) ? fs::read_symlink(link) : fs::path();
  const fs::path name = before == "..first" ? "..second" : "..first";
  fs::create_directories(root / name);
  const auto write = [&](const char* file, const std::string& text) {
    fs::remove(root / name / file);
    if (text.empty()) return;
    std::ofstream(root / name / file) << text;
    if (!fs::is_symlink(root / file)) fs::create_symlink(fs::path("..data") / file, root / file);
  };
  write("tls.crt", files.certificate);
  write("tls.key", files.key);
  write("ca.crt", files.authorities);
  fs::create_symlink(name, root / "..data_tmp");
  fs::rename(root / "..data_tmp", link);
  if (!before.empty()) fs::remove_all(root / before);
}

}  // namespace dynamo
