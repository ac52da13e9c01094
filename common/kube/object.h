// Kubernetes objects as JSON, and the few things that are read of all of them.
#ifndef DYNAMO_COMMON_KUBE_OBJECT_H_
#define DYNAMO_COMMON_KUBE_OBJECT_H_

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace dynamo::kube {

namespace json = boost::json;
using Object = json::object;

// A kind of object and where the API server keeps it.
struct Resource {
  std::string group;  // Empty: core.
  std::string version, kind, plural;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  // namespace_ empty: all namespaces (or a cluster-wide object); name empty: the collection.
  std::string Path(std::string_view namespace_, std::string_view name = "", std::string_view subresource = "") const;
};

const Resource& Pods();
const Resource& Services();
const Resource& Secrets();
const Resource& ConfigMaps();
const Resource& ServiceAccounts();
const Resource& PersistentVolumeClaims();
const Resource& PersistentVolumes();
const Resource& Nodes();
const Resource& Events();
const Resource& StatefulSets();
const Resource& PodDisruptionBudgets();
const Resource& NetworkPolicies();
const Resource& Roles();
const Resource& RoleBindings();
const Resource& Leases();
const Resource& EndpointSlices();

// kInvalidArgument: no JSON, or no object.
Result<Object> ParseObject(std::string_view text);

// "metadata.labels" -> the value there; null: nothing there. Names with dots in them
// cannot be reached this way.
const json::value* Find(const Object& object, std::string_view path);
// Empty, zero or false where nothing of that type is.
std::string StringAt(const Object& object, std::string_view path);
const json::array& ArrayAt(const Object& object, std::string_view path);
int64_t IntAt(const Object& object, std::string_view path, int64_t otherwise = 0);
bool BoolAt(const Object& object, std::string_view path, bool otherwise = false);

std::string NameOf(const Object& object);
std::string NamespaceOf(const Object& object);
std::string UidOf(const Object& object);
std::string ResourceVersionOf(const Object& object);
std::string LabelOf(const Object& object, std::string_view label);
bool IsBeingDeleted(const Object& object);
// "namespace/name", or the name alone.
std::string KeyOf(const Object& object);
std::string MakeKey(std::string_view namespace_, std::string_view name);
std::pair<std::string, std::string> SplitKey(std::string_view key);

// RFC 3339 with microseconds, as the API wants MicroTime; and with seconds, as Time.
std::string MicroTime(uint64_t wall_micros);
std::string Time(uint64_t wall_micros);
// Of either; nullopt: of neither form.
std::optional<uint64_t> ParseTime(std::string_view text);

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_OBJECT_H_
