// dynamoctl against a node that speaks https.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/lib/temporary_folder.h"
#include "tests/lib/tls/test_authority.h"
#include "tests/unit/tools/scripted_node.h"

namespace dynamo::ctl {
namespace {

class SecureNodeTest : public ::testing::Test {
 protected:
  SecureNodeTest() {
    WriteTlsFolder(folder_.path() + "/node", authority_.Issue({.hosts = {"127.0.0.1"}}));
    WriteTlsFolder(folder_.path() + "/admin", authority_.Issue({.uris = {"dynamo://demo/admin"}}));
    std::ofstream(folder_.path() + "/token") << "sesame\n";
  }
  ~SecureNodeTest() override {
    if (!server_) return;
    server_->stop();
    thread_.join();
  }

  // Wants a certificate of the authority, if `wants_certificate`.
  void Serve(bool wants_certificate) {
    server_ = std::make_unique<httplib::SSLServer>(File("node/tls.crt").c_str(), File("node/tls.key").c_str(),
                                                   wants_certificate ? File("node/ca.crt").c_str() : nullptr);
    server_->Get(".*", [this](const httplib::Request& request, httplib::Response& response) {
      seen_ = request.get_header_value("Authorization");
      response.status = 404;
      response.set_content("not found\n", "text/plain");
    });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }
  std::string File(const std::string& name) const { return folder_.path() + "/" + name; }
  // An error that the node has answered itself ends in 1 and says what it said.
  Outcome Status(std::vector<std::string> more) {
    more.insert(more.begin(), {"status", "--admin", "https://127.0.0.1:" + std::to_string(port_)});
    return Ctl(more);
  }

  TestAuthority authority_{"authority"};
  TemporaryFolder folder_;
  std::unique_ptr<httplib::SSLServer> server_;
  int port_ = 0;
  std::string seen_ = "never asked";
  std::thread thread_;
};

TEST_F(SecureNodeTest, IsTrustedByItsAuthorityOnly) {
  Serve(/*wants_certificate=*/false);
  EXPECT_THAT(Status({"--tls-ca", File("node/ca.crt")}).err, ::testing::HasSubstr("not found"));
  EXPECT_EQ(seen_, "");
  seen_ = "never asked";
  EXPECT_THAT(Status({}).err, ::testing::HasSubstr("no answer from the admin API"));
  const TestAuthority other("other");
  std::ofstream(File("other.crt")) << other.pem();
  EXPECT_THAT(Status({"--tls-ca", File("other.crt")}).err, ::testing::HasSubstr("no answer from the admin API"));
  EXPECT_EQ(seen_, "never asked");
}

TEST_F(SecureNodeTest, IsShownTheToken) {
  Serve(/*wants_certificate=*/false);
  Status({"--tls-ca", File("node/ca.crt"), "--admin-token-file", File("token")});
  EXPECT_EQ(seen_, "Bearer sesame");
}

TEST_F(SecureNodeTest, IsShownTheAdministratorsCertificate) {
  Serve(/*wants_certificate=*/true);
  Status({"--tls-ca", File("node/ca.crt")});
  EXPECT_EQ(seen_, "never asked");
  Status({"--tls-ca", File("node/ca.crt"), "--tls-cert", File("admin/tls.crt"), "--tls-key", File("admin/tls.key")});
  EXPECT_EQ(seen_, "");
}

TEST_F(SecureNodeTest, TheTokenIsForTheAdminPortAlone) {
  Serve(/*wants_certificate=*/false);
  const Outcome get = Ctl({"get", "t/b/k", "--http", "https://127.0.0.1:" + std::to_string(port_), "--tls-ca",
                           File("node/ca.crt"), "--admin-token-file", File("token")});
  EXPECT_EQ(get.code, 1);
  EXPECT_EQ(seen_, "");
}

TEST(DynamoctlTls, AFileThatIsMissingIsAWrongCommandLine) {
  EXPECT_EQ(Ctl({"status", "--tls-ca", "/nowhere/ca.crt"}).code, 2);
}

}  // namespace
}  // namespace dynamo::ctl
