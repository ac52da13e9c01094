// Where the API server is and how to show who we are.
#ifndef DYNAMO_COMMON_KUBE_KUBE_CONFIG_H_
#define DYNAMO_COMMON_KUBE_KUBE_CONFIG_H_

#include <string>

#include "common/base/result.h"

namespace dynamo::kube {

struct KubeConfig {
  bool tls = true;
  std::string host;  // Without brackets, also for IPv6.
  int port = 443;
  std::string ca_pem;  // Empty: the system's authorities.
  std::string client_certificate_pem, client_key_pem;
  std::string token;       // Fixed.
  std::string token_file;  // Rotated by the kubelet: read again and again.
  std::string default_namespace = "default";

  std::string where() const;
};

// What the kubelet gives to every pod with a service account: `folder` holds token,
// ca.crt and namespace; the address comes from KUBERNETES_SERVICE_HOST and _PORT.
// kNotFound: this is no pod.
Result<KubeConfig> InClusterConfig(const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// A kubeconfig's text. `context` empty: its current one. Exec plugins and auth
// providers are not supported, and said so.
Result<KubeConfig> ParseKubeConfig(const std::string& yaml, const std::string& context = "",
                                   const std::string& folder = ".");
Result<KubeConfig> LoadKubeConfig(const std::string& path, const std::string& context = "");

// `path` if given, else in-cluster, else $KUBECONFIG, else ~/.kube/config.
Result<KubeConfig> FindKubeConfig(const std::string& path);

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_KUBE_CONFIG_H_
