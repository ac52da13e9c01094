#include "common/kube/kube_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "common/base/base64.h"

namespace dynamo::kube {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> ReadText(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return Fail(Errc::kNotFound, "cannot read " + path.string());
  return text.str();
}

Result<int> ParsePort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    return Fail(Errc::kInvalidArgument, fmt::format("\"{}\" is no port", text));
  }
  return port;
}

// "https://host:6443", "https://[::1]:6443/".
Status ParseServer(std::string_view server, KubeConfig* config) {
  const auto wrong = [&] {
    return Fail(Errc::kInvalidArgument,
                fmt::format("\"{}\" is no address of an API server: want https://HOST:PORT", server));
  };
  std::string_view rest = server;
  config->tls = rest.starts_with("https://");
  if (!config->tls && !rest.starts_with("http://")) return wrong();
  rest.remove_prefix(config->tls ? 8 : 7);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) return wrong();
  config->port = config->tls ? 443 : 80;
  const size_t bracket = rest.rfind(']');
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = ParsePort(rest.substr(colon + 1));
    if (!port) return Fail(port.error());
    config->port = *port;
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return wrong();
  config->host = rest;
  return {};
}

// The entry called `name` of a kubeconfig's list, below `what`.
Result<YAML::Node> Entry(const YAML::Node& root, const char* list, const char* what, const std::string& name) {
  for (const YAML::Node& entry : root[list]) {
    if (entry["name"].as<std::string>("") == name) return entry[what];
  }
  return Fail(Errc::kInvalidArgument, fmt::format("the kubeconfig's {} have none called \"{}\"", list, name));
}

// A value that stands there itself (in base64, under KEY-data) or in a file (under KEY).
Result<std::string> Material(const YAML::Node& node, const std::string& key, const std::string& folder) {
  if (const auto data = node[key + "-data"]) {
    auto decoded = Base64Decode(data.as<std::string>(""));
    if (!decoded) return Fail(Errc::kInvalidArgument, fmt::format("the kubeconfig's {}-data is no base64", key));
    return std::string(decoded->begin(), decoded->end());
  }
  if (const auto file = node[key]) return ReadText(std::filesystem::path(folder) / file.as<std::string>(""));
  return std::string();
}

Status ReadUser(const YAML::Node& user, const std::string& folder, KubeConfig* config) {
  if (user["exec"] || user["auth-provider"]) {
    return Fail(Errc::kUnsupported,
                "the kubeconfig's user needs a plugin to log in; use one with a token or a certificate");
  }
  auto certificate = Material(user, "client-certificate", folder);
  if (!certificate) return Fail(certificate.error());
  auto key = Material(user, "client-key", folder);
  if (!key) return Fail(key.error());
  config->client_certificate_pem = *certificate;
  config->client_key_pem = *key;
  config->token = user["token"].as<std::string>("");
  if (const auto file = user["tokenFile"]) {
    config->token_file = (std::filesystem::path(folder) / file.as<std::string>("")).string();
  }
  return {};
}

Result<KubeConfig> FromYaml(const YAML::Node& root, const std::string& context_name, const std::string& folder) {
  const std::string name = context_name.empty() ? root["current-context"].as<std::string>("") : context_name;
  const auto context = Entry(root, "contexts", "context", name);
  if (!context) return Fail(context.error());
  const auto cluster = Entry(root, "clusters", "cluster", (*context)["cluster"].as<std::string>(""));
  if (!cluster) return Fail(cluster.error());
  const auto user = Entry(root, "users", "user", (*context)["user"].as<std::string>(""));
  if (!user) return Fail(user.error());

  KubeConfig config;
  if (auto read = ParseServer((*cluster)["server"].as<std::string>(""), &config); !read) return Fail(read.error());
  if ((*cluster)["insecure-skip-tls-verify"].as<bool>(false)) {
    return Fail(Errc::kUnsupported, "insecure-skip-tls-verify is not supported: name the certificate-authority");
  }
  auto authority = Material(*cluster, "certificate-authority", folder);
  if (!authority) return Fail(authority.error());
  config.ca_pem = *authority;
  if (auto read = ReadUser(*user, folder, &config); !read) return Fail(read.error());
  config.default_namespace = (*context)["namespace"].as<std::string>("default");
  return config;
}

}  // namespace

std::string KubeConfig::where() const { return fmt::format("{}://{}:{}", tls ? "https" : "http", host, port); }

Result<KubeConfig> InClusterConfig(const std::string& folder) {
  const std::filesystem::path path(folder);
  KubeConfig config;
  config.host = Variable("KUBERNETES_SERVICE_HOST");
  if (config.host.empty()) return Fail(Errc::kNotFound, "this is no pod: KUBERNETES_SERVICE_HOST is not set");
  const auto port = ParsePort(Variable("KUBERNETES_SERVICE_PORT"));
  if (!port) return Fail(port.error().code, "KUBERNETES_SERVICE_PORT: " + port.error().message);
  config.port = *port;
  config.token_file = (path / "token").string();
  if (!std::filesystem::exists(path / "token")) {
    return Fail(Errc::kNotFound, "no service account token in " + folder + ": does the pod mount one?");
  }
  auto authority = ReadText(path / "ca.crt");
  if (!authority) return Fail(authority.error());
  config.ca_pem = *authority;
  if (const auto own = ReadText(path / "namespace"); own && !own->empty()) config.default_namespace = *own;
  return config;
}

Result<KubeConfig> ParseKubeConfig(const std::string& yaml, const std::string& context, const std::string& folder) {
  try {
    return FromYaml(YAML::Load(yaml), context, folder);
  } catch (const YAML::Exception& error) {
    return Fail(Errc::kInvalidArgument,
                std::string("the kubeconfig is no YAML of the expected shape: ") + error.what());
  }
}

Result<KubeConfig> LoadKubeConfig(const std::string& path, const std::string& context) {
  const auto text = ReadText(path);
  if (!text) return Fail(text.error());
  return ParseKubeConfig(*text, context, std::filesystem::path(path).parent_path().string());
}

Result<KubeConfig> FindKubeConfig(const std::string& path) {
  if (!path.empty()) return LoadKubeConfig(path);
  if (!Variable("KUBERNETES_SERVICE_HOST").empty()) return InClusterConfig();
  if (const std::string named = Variable("KUBECONFIG"); !named.empty()) return LoadKubeConfig(named);
  return LoadKubeConfig(Variable("HOME") + "/.kube/config");
}

}  // namespace dynamo::kube
