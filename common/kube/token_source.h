// The bearer token of a service account, which the kubelet rotates in its file.
#ifndef DYNAMO_COMMON_KUBE_TOKEN_SOURCE_H_
#define DYNAMO_COMMON_KUBE_TOKEN_SOURCE_H_

#include <mutex>
#include <string>

#include "common/kube/clock.h"
#include "common/kube/kube_config.h"

namespace dynamo::kube {

// Safe to call from any thread.
class TokenSource {
 public:
  TokenSource(const KubeConfig& config, Clock* clock);

  // Empty: there is none. Read anew when it is a minute old; if the file cannot be
  // read then, the last one that could be.
  std::string Current();
  // The server refused `refused`: true if the file holds another by now.
  bool Renew(const std::string& refused);

 private:
  void Read();

  const std::string file_;
  Clock* const clock_;
  std::mutex mutex_;
  std::string token_;
  TimePoint read_at_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_TOKEN_SOURCE_H_
