// A certificate authority of a test's own, and folders of certificates as the kubelet
// writes them.
#ifndef DYNAMO_TESTS_LIB_TLS_TEST_AUTHORITY_H_
#define DYNAMO_TESTS_LIB_TLS_TEST_AUTHORITY_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/tls/files.h"

namespace dynamo {

struct WantedCertificate {
  std::vector<std::string> uris = {};
  std::vector<std::string> hosts = {};      // Names and IP addresses.
  std::chrono::seconds valid_from{-3600};   // From now.
  std::chrono::seconds valid_until{86400};  // Likewise; before now: it has expired.
};

// Keys are of elliptic curves: they are made in no time.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name, std::chrono::hours life = std::chrono::hours(24 * 30));
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& pem() const { return pem_; }
  // With this as its only authority.
  TlsFiles Issue(const WantedCertificate& wanted) const;
  // Of any node of the cluster.
  TlsFiles IssueNode(const std::string& cluster) const { return Issue({.uris = {"dynamo://" + cluster}}); }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string pem_;
};

// As the kubelet does: into a new folder, then the link ..data goes over to it.
void WriteTlsFolder(const std::string& folder, const TlsFiles& files);

}  // namespace dynamo

#endif  // DYNAMO_TESTS_LIB_TLS_TEST_AUTHORITY_H_
