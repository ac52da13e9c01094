// Users of real nodes: a file that changes while they run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "common/users/password.h"
#include "tests/cluster/real_cluster.h"
#include "tests/lib/temporary_folder.h"
#include "tests/lib/tls/test_authority.h"

namespace dynamo::cluster {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

std::string UserWith(const std::string& permission) {
  return "users:\n- name: app\n  password_hash: " + ToText(HashPassword("sesame", NewSalt(), 10'000)) +
         "\n  grants:\n  - permissions: [" + permission + "]\n    on: {type: default, bucket: b}\n";
}

class UsersClusterTest : public ::testing::Test {
 protected:
  UsersClusterTest() {
    TlsFiles files = authority_.Issue({.hosts = {"127.0.26.1", "127.0.26.2", "127.0.26.3"}});
    WriteTlsFolder(folder_.path() + "/client", files);
    std::ofstream(authority_file_) << authority_.pem();
    Write(UserWith("riak_kv.get"));
  }
  void Write(const std::string& text) { std::ofstream(users_file_, std::ios::trunc) << text; }
  std::vector<std::string> Arguments() {
    return {"--tls-client",      "optional",  "--tls-client-folder",      folder_.path() + "/client",
            "--auth-users-file", users_file_, "--tls-reload-interval-ms", "100"};
  }
  // The status of a write; 0: no answer.
  int Put(const std::string& url, const std::string& password, std::string* body = nullptr) {
    httplib::Client client(url);
    client.set_ca_cert_path(authority_file_.c_str());
    if (!password.empty()) client.set_basic_auth("app", password);
    const auto answer = client.Put("/buckets/b/keys/k", "v", "text/plain");
    if (body != nullptr && answer) *body = answer->body;
    return answer ? answer->status : 0;
  }

  TemporaryFolder folder_;
  TestAuthority authority_{"authority"};
  const std::string users_file_ = folder_.path() + "/users.yaml";
  const std::string authority_file_ = folder_.path() + "/ca.crt";
};

TEST_F(UsersClusterTest, WhoMayWriteChangesOnEveryNodeWithTheFileAndNotWithAWrongOne) {
  RealCluster cluster(26, 3, Arguments());
  cluster.StartAll();
  const Status created = cluster.Create();
  ASSERT_TRUE(created.has_value()) << created.error().message;
  const std::string https = "https://" + cluster.node(0).http();
  EXPECT_EQ(Put("http://" + cluster.node(0).http(), "sesame"), 426);
  EXPECT_EQ(Put(https, ""), 401);
  EXPECT_EQ(Put(https, "wrong"), 401);
  std::string body;
  EXPECT_EQ(Put(https, "sesame", &body), 403);
  EXPECT_THAT(body, HasSubstr("User 'app' does not have 'riak_kv.put' on default/b"));

  Write(UserWith("riak_kv.put"));
  for (size_t i = 0; i < cluster.size(); ++i) {
    EXPECT_TRUE(Eventually(seconds(20), [&] { return Put("https://" + cluster.node(i).http(), "sesame") == 204; }));
  }
  Write("users: none\n");
  EXPECT_TRUE(
      Eventually(seconds(20), [&] { return cluster.node(0).Log().find("users_reload_failed") != std::string::npos; }));
  EXPECT_EQ(Put(https, "sesame"), 204);
  EXPECT_EQ(cluster.node(1).Terminate(), 0);
  cluster.node(1).Start();
  EXPECT_EQ(cluster.node(1).AwaitEnd(20), 2);
  EXPECT_THAT(cluster.node(1).Log(), HasSubstr("users.yaml:1: users: wants a list of at least one user"));
}

}  // namespace
}  // namespace dynamo::cluster
