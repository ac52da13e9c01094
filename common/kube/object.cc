#include "common/kube/object.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <ctime>

namespace dynamo::kube {
namespace {

Resource Core(std::string kind, std::string plural) { return {"", "v1", std::move(kind), std::move(plural)}; }

std::tm UtcOf(uint64_t wall_micros) {
  const auto seconds = static_cast<time_t>(wall_micros / 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return utc;
}

}  // namespace

std::string Resource::Path(std::string_view namespace_, std::string_view name, std::string_view subresource) const {
  std::string path = group.empty() ? "/api/" + version : fmt::format("/apis/{}/{}", group, version);
  if (!namespace_.empty()) path += fmt::format("/namespaces/{}", namespace_);
  path += "/" + plural;
  if (!name.empty()) path += fmt::format("/{}", name);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

#define DYNAMO_RESOURCE(function, ...)           \
  const Resource& function() {                   \
    static const Resource resource{__VA_ARGS__}; \
    return resource;                             \
  }
DYNAMO_RESOURCE(Pods, Core("Pod", "pods"))
DYNAMO_RESOURCE(Services, Core("Service", "services"))
DYNAMO_RESOURCE(Secrets, Core("Secret", "secrets"))
DYNAMO_RESOURCE(ConfigMaps, Core("ConfigMap", "configmaps"))
DYNAMO_RESOURCE(ServiceAccounts, Core("ServiceAccount", "serviceaccounts"))
DYNAMO_RESOURCE(PersistentVolumeClaims, Core("PersistentVolumeClaim", "persistentvolumeclaims"))
DYNAMO_RESOURCE(PersistentVolumes, Core("PersistentVolume", "persistentvolumes"))
DYNAMO_RESOURCE(Nodes, Core("Node", "nodes"))
DYNAMO_RESOURCE(Events, Core("Event", "events"))
DYNAMO_RESOURCE(StatefulSets, "apps", "v1", "StatefulSet", "statefulsets")
DYNAMO_RESOURCE(PodDisruptionBudgets, "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
DYNAMO_RESOURCE(NetworkPolicies, "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
DYNAMO_RESOURCE(Roles, "rbac.authorization.k8s.io", "v1", "Role", "roles")
DYNAMO_RESOURCE(RoleBindings, "rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
DYNAMO_RESOURCE(Leases, "coordination.k8s.io", "v1", "Lease", "leases")
DYNAMO_RESOURCE(EndpointSlices, "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
#undef DYNAMO_RESOURCE

Result<Object> ParseObject(std::string_view text) {
  boost::system::error_code error;
  json::value parsed = json::parse(text, error);
  if (error) return Fail(Errc::kInvalidArgument, "malformed JSON: " + error.message());
  if (!parsed.is_object()) return Fail(Errc::kInvalidArgument, "JSON, but no object");
  return std::move(parsed.get_object());
}

const json::value* Find(const Object& object, std::string_view path) {
  const Object* in = &object;
  while (true) {
    const size_t dot = path.find('.');
    const json::value* value = in->if_contains(path.substr(0, dot));
    if (value == nullptr || dot == std::string_view::npos) return value;
    if (!value->is_object()) return nullptr;
    in = &value->get_object();
    path.remove_prefix(dot + 1);
  }
}

std::string StringAt(const Object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

const json::array& ArrayAt(const Object& object, std::string_view path) {
  static const json::array none;
  const json::value* value = Find(object, path);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

int64_t IntAt(const Object& object, std::string_view path, int64_t otherwise) {
  const json::value* value = Find(object, path);
  if (value == nullptr) return otherwise;
  boost::system::error_code error;
  const auto number = value->to_number<int64_t>(error);
  return error ? otherwise : number;
}

bool BoolAt(const Object& object, std::string_view path, bool otherwise) {
  const json::value* value = Find(object, path);
  return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

std::string NameOf(const Object& object) { return StringAt(object, "metadata.name"); }
std::string NamespaceOf(const Object& object) { return StringAt(object, "metadata.namespace"); }
std::string UidOf(const Object& object) { return StringAt(object, "metadata.uid"); }
std::string ResourceVersionOf(const Object& object) { return StringAt(object, "metadata.resourceVersion"); }
bool IsBeingDeleted(const Object& object) { return Find(object, "metadata.deletionTimestamp") != nullptr; }

std::string LabelOf(const Object& object, std::string_view label) {
  const json::value* labels = Find(object, "metadata.labels");
  const json::value* value =
      labels != nullptr && labels->is_object() ? labels->get_object().if_contains(label) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string KeyOf(const Object& object) { return MakeKey(NamespaceOf(object), NameOf(object)); }

std::string MakeKey(std::string_view namespace_, std::string_view name) {
  return namespace_.empty() ? std::string(name) : fmt::format("{}/{}", namespace_, name);
}

std::pair<std::string, std::string> SplitKey(std::string_view key) {
  const size_t slash = key.find('/');
  if (slash == std::string_view::npos) return {"", std::string(key)};
  return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

std::string MicroTime(uint64_t wall_micros) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", UtcOf(wall_micros), wall_micros % 1'000'000);
}

std::string Time(uint64_t wall_micros) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", UtcOf(wall_micros)); }

std::optional<uint64_t> ParseTime(std::string_view text) {
  std::tm utc{};
  const std::string copy(text);
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest == nullptr) return std::nullopt;
  uint64_t micros = 0;
  if (*rest == '.') {
    uint64_t unit = 100'000;
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) micros += unit * static_cast<uint64_t>(*rest - '0');
  }
  if (std::string_view(rest) != "Z") return std::nullopt;
  const time_t seconds = timegm(&utc);
  if (seconds < 0) return std::nullopt;
  return static_cast<uint64_t>(seconds) * 1'000'000 + micros;
}

}  // namespace dynamo::kube
