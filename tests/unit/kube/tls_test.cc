// Over TLS: who the server is, is checked; who we are, is shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <thread>

#include "common/kube/rest_client.h"
#include "tests/lib/kube/manual_clock.h"

namespace dynamo::kube {
namespace {

using X509Ref = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyRef = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// A certificate that vouches for itself, for one name or address.
struct SelfSigned {
  explicit SelfSigned(const std::string& alternative_name)
      : key(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate(X509_new(), &X509_free) {
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative_name.c_str());
    X509_add_ext(certificate.get(), names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
  }
  std::string CertificatePem() const {
    return Pem([this](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
  }
  std::string KeyPem() const {
    return Pem(
        [this](BIO* out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }

  KeyRef key;
  X509Ref certificate;

 private:
  template <class Write>
  static std::string Pem(const Write& write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    write(out.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<size_t>(size)};
  }
};

class TlsTest : public ::testing::Test {
 protected:
  void Serve(const SelfSigned& own, X509_STORE* clients = nullptr) {
    server_ = std::make_unique<httplib::SSLServer>(own.certificate.get(), own.key.get(), clients);
    server_->Get(".*", [](const httplib::Request&, httplib::Response& out) {
      out.set_content("{\"kind\": \"Pod\"}", "application/json");
    });
    config_.host = "127.0.0.1";
    config_.port = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }
  ~TlsTest() override {
    server_->stop();
    thread_.join();
  }
  Answer<Object> Get() { return (*RestClient::Make(config_, &clock_, nullptr))->Get(Pods(), "ns", "p"); }

  dynamo::testing::ManualClock clock_;
  KubeConfig config_;
  std::unique_ptr<httplib::SSLServer> server_;
  std::thread thread_;
};

TEST_F(TlsTest, ServesWhoKnowsItsAuthority) {
  const SelfSigned own("IP:127.0.0.1");
  Serve(own);
  config_.ca_pem = own.CertificatePem();
  EXPECT_TRUE(Get());
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNoAnswer) {
  Serve(SelfSigned("IP:127.0.0.1"));
  config_.ca_pem = SelfSigned("IP:127.0.0.1").CertificatePem();
  const auto answer = Get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ApiError::Kind::kUnknown);
}

TEST_F(TlsTest, AServerOfAnotherNameIsNoAnswer) {
  const SelfSigned own("DNS:elsewhere");
  Serve(own);
  config_.ca_pem = own.CertificatePem();
  EXPECT_FALSE(Get());
}

TEST_F(TlsTest, ShowsTheClientCertificate) {
  const SelfSigned own("IP:127.0.0.1"), client("DNS:client");
  X509_STORE* clients = X509_STORE_new();
  X509_STORE_add_cert(clients, client.certificate.get());
  Serve(own, clients);
  config_.ca_pem = own.CertificatePem();
  EXPECT_FALSE(Get());
  config_.client_certificate_pem = client.CertificatePem();
  config_.client_key_pem = client.KeyPem();
  EXPECT_TRUE(Get());
}

TEST(HttpConnection, MaterialThatIsNoPemIsRefusedBeforeAnythingIsSent) {
  dynamo::testing::ManualClock clock;
  KubeConfig config;
  config.host = "127.0.0.1";
  config.ca_pem = "no certificate";
  EXPECT_EQ(RestClient::Make(config, &clock, nullptr).error().code, Errc::kInvalidArgument);
  config.ca_pem = SelfSigned("IP:127.0.0.1").CertificatePem();
  config.client_certificate_pem = config.ca_pem;
  config.client_key_pem = "no key";
  EXPECT_EQ(RestClient::Make(config, &clock, nullptr).error().code, Errc::kInvalidArgument);
  config.client_key_pem = SelfSigned("IP:127.0.0.1").KeyPem();  // Another's.
  EXPECT_EQ(RestClient::Make(config, &clock, nullptr).error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace dynamo::kube
