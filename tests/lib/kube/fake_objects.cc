#include "tests/lib/kube/fake_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace dynamo::testing {
namespace {

using kube::Object;
namespace json = kube::json;

Object& Metadata(Object& object) {
  json::value& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Object{};
  return metadata.get_object();
}

// "a=b,c=d".
bool Selected(const Object& object, const std::string& selector) {
  std::istringstream terms(selector);
  for (std::string term; std::getline(terms, term, ',');) {
    const size_t equals = term.find('=');
    if (kube::LabelOf(object, term.substr(0, equals)) != term.substr(equals + 1)) return false;
  }
  return true;
}

bool OwnedBy(const Object& object, const std::string& uid) {
  const json::value* owners = kube::Find(object, "metadata.ownerReferences");
  if (owners == nullptr || !owners->is_array()) return false;
  return std::ranges::any_of(owners->get_array(), [&uid](const json::value& owner) {
    return owner.is_object() && kube::StringAt(owner.get_object(), "uid") == uid;
  });
}

}  // namespace

bool IsDiscovery(const std::string& path) {
  return path == "/apis" || (path.starts_with("/apis/") && std::ranges::count(path, '/') == 3);
}

FakeAnswer FakeStatus(int code, const std::string& reason, const std::string& message) {
  return {code, Object{{"kind", "Status"},
                       {"apiVersion", "v1"},
                       {"status", "Failure"},
                       {"code", code},
                       {"reason", reason},
                       {"message", message}}};
}

// As the server answers for a group that it has never heard of: no Status.
FakeAnswer NotServed() { return {404, Object{{"text", "404 page not found"}}}; }

void MergeInto(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = Object{};
  for (const auto& [key, value] : patch.get_object()) {
    if (value.is_null()) {
      target.get_object().erase(key);
    } else {
      MergeInto(target.get_object()[key], value);
    }
  }
}

std::optional<ObjectPath> ObjectPath::Parse(const std::string& path) {
  std::vector<std::string> parts;
  std::istringstream in(path);
  for (std::string part; std::getline(in, part, '/');) {
    if (!part.empty()) parts.push_back(part);
  }
  ObjectPath out;
  size_t at = 0;
  const auto next = [&] { return at < parts.size() ? parts[at++] : std::string(); };
  const std::string root = next();
  if (root != "api" && root != "apis") return std::nullopt;
  out.api = root == "api" ? "/api/" + next() : "/apis/" + next();
  if (root == "apis") out.api += "/" + next();
  out.plural = next();
  if (out.plural == "namespaces" && parts.size() > at + 1) {
    out.namespace_ = next();
    out.plural = next();
  }
  out.name = next();
  out.subresource = next();
  if (out.plural.empty() || at != parts.size()) return std::nullopt;
  return out;
}

FakeAnswer FakeObjects::Get(const ObjectPath& path) const {
  const auto found = objects_.find({path.collection(), path.namespace_, path.name});
  if (found == objects_.end())
    return FakeStatus(404, "NotFound", fmt::format("{} \"{}\" not found", path.plural, path.name));
  return {200, found->second};
}

FakeAnswer FakeObjects::List(const ObjectPath& path, const std::string& label_selector, size_t limit,
                             const std::string& token) const {
  const size_t skipped = token.empty() ? 0 : std::stoul(token);
  json::array items;
  size_t seen = 0;
  bool more = false;
  for (const auto& [key, object] : objects_) {
    if (key[0] != path.collection() || (!path.namespace_.empty() && key[1] != path.namespace_)) continue;
    if (!Selected(object, label_selector) || seen++ < skipped) continue;
    more = limit > 0 && items.size() >= limit;
    if (more) break;
    items.push_back(object);
  }
  Object metadata{{"resourceVersion", std::to_string(version_)}};
  if (more) metadata["continue"] = std::to_string(skipped + items.size());
  return {200, Object{{"kind", "List"}, {"apiVersion", "v1"}, {"metadata", metadata}, {"items", std::move(items)}}};
}

FakeAnswer FakeObjects::Discover(const std::string& path) const {
  json::array found;
  for (const auto& [key, object] : objects_) {
    const size_t slash = key[0].rfind('/');
    const std::string api = key[0].substr(0, slash);  // "/apis/GROUP/VERSION".
    if (path == "/apis" && api.starts_with("/apis/")) {
      found.push_back(Object{{"versions", json::array{Object{{"groupVersion", api.substr(6)}}}}});
    } else if (api == path) {
      found.push_back(Object{{"name", key[0].substr(slash + 1)}});
    }
  }
  if (path == "/apis") return {200, Object{{"kind", "APIGroupList"}, {"groups", std::move(found)}}};
  if (found.empty()) return NotServed();
  return {200, Object{{"kind", "APIResourceList"}, {"resources", std::move(found)}}};
}

bool FakeObjects::Serves(const ObjectPath& path) const {
  const std::string group = path.api.starts_with("/apis/") ? path.api.substr(6, path.api.rfind('/') - 6) : "";
  const bool own = group.find('.') == std::string::npos || group.ends_with(".k8s.io") || group == "dynamo.internal";
  return own || std::ranges::any_of(objects_,
                                    [&path](const auto& entry) { return entry.first[0].starts_with(path.api + "/"); });
}

FakeAnswer FakeObjects::Create(const ObjectPath& path, Object object) {
  ObjectPath named = path;
  named.name = kube::NameOf(object);
  if (named.name.empty()) return FakeStatus(422, "Invalid", "metadata.name: Required value");
  if (Get(named).status == 200) return FakeStatus(409, "AlreadyExists", named.name + " already exists");
  Object& metadata = Metadata(object);
  metadata["namespace"] = path.namespace_;
  metadata["uid"] = fmt::format("uid-{}", ++uids_);
  metadata["generation"] = 1;
  Commit(named, "ADDED", std::move(object));
  FakeAnswer answer = Get(named);
  answer.status = 201;
  return answer;
}

FakeAnswer FakeObjects::Apply(const ObjectPath& path, Object object) {
  if (kube::NameOf(object) != path.name) return FakeStatus(400, "BadRequest", "the name is another than the path's");
  return Get(path).status == 200 ? Merge(path, object) : Create(path, std::move(object));
}

FakeAnswer FakeObjects::MergePatch(const ObjectPath& path, const Object& patch) {
  FakeAnswer now = Get(path);
  if (now.status != 200) return now;
  const std::string wanted = kube::ResourceVersionOf(patch);
  if (!wanted.empty() && wanted != kube::ResourceVersionOf(now.body)) {
    return FakeStatus(409, "Conflict", "the object has been modified");
  }
  return Merge(path, patch);
}

FakeAnswer FakeObjects::Merge(const ObjectPath& path, const Object& patch) {
  const Object before = Get(path).body;
  json::value after = before;
  MergeInto(after, patch);
  Object& object = after.get_object();
  // A status is written through its subresource, and nothing else is.
  const bool has_status_door =
      path.plural == "dynamoclusters" || path.plural == "statefulsets" || path.plural == "pods";
  if (path.subresource == "status") {
    const json::value status = object.contains("status") ? object["status"] : json::value(Object{});
    object = before;
    object["status"] = status;
  } else if (has_status_door) {
    object.erase("status");
    if (const json::value* status = before.if_contains("status")) object["status"] = *status;
  }
  for (const char* own : {"uid", "resourceVersion", "generation", "namespace"}) {
    Metadata(object)[own] = kube::Find(before, "metadata")->get_object().at(own);
  }
  if (object == before) return {200, before};
  const json::value* claims = kube::Find(before, "spec.volumeClaimTemplates");
  const json::value* wanted = kube::Find(object, "spec.volumeClaimTemplates");
  if (path.plural == "statefulsets" && claims != nullptr && wanted != nullptr && *claims != *wanted) {
    return FakeStatus(422, "Invalid", "spec: Forbidden: updates to statefulset spec for fields other than 'replicas'");
  }
  const json::value* old_spec = before.if_contains("spec");
  const json::value* new_spec = object.if_contains("spec");
  if (new_spec != nullptr && (old_spec == nullptr || *old_spec != *new_spec)) {
    Metadata(object)["generation"] = kube::IntAt(before, "metadata.generation") + 1;
  }
  Commit(path, "MODIFIED", std::move(object));
  return Get(path);
}

FakeAnswer FakeObjects::Delete(const ObjectPath& path, const std::string& uid, bool orphan) {
  const auto found = objects_.find({path.collection(), path.namespace_, path.name});
  if (found == objects_.end()) return Get(path);
  const std::string own = kube::UidOf(found->second);
  if (!uid.empty() && uid != own) return FakeStatus(409, "Conflict", "the UID in the precondition is another");
  Object object = std::move(found->second);
  objects_.erase(found);
  changes_.push_back({++version_, "DELETED", path.collection(), object});
  if (!orphan) Collect(own);
  return {200, object};
}

void FakeObjects::Collect(const std::string& owner_uid) {
  std::vector<Key> owned;
  for (const auto& [key, object] : objects_) {
    if (OwnedBy(object, owner_uid)) owned.push_back(key);
  }
  for (const Key& key : owned) {
    const size_t slash = key[0].rfind('/');
    Delete({key[0].substr(0, slash), key[1], key[0].substr(slash + 1), key[2], ""}, "", false);
  }
}

void FakeObjects::Commit(const ObjectPath& path, const char* type, Object object) {
  Metadata(object)["resourceVersion"] = std::to_string(++version_);
  changes_.push_back({version_, type, path.collection(), object});
  objects_[{path.collection(), path.namespace_, path.name}] = std::move(object);
}

std::vector<FakeObjects::Change> FakeObjects::ChangesAfter(const std::string& collection, const std::string& namespace_,
                                                           int64_t version) const {
  std::vector<Change> out;
  for (const Change& change : changes_) {
    const bool here = namespace_.empty() || kube::NamespaceOf(change.object) == namespace_;
    if (change.version > version && change.collection == collection && here) out.push_back(change);
  }
  return out;
}

}  // namespace dynamo::testing
