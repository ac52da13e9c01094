// The objects of a fake API server, with the rules that matter to its clients: UIDs,
// resource versions, generations, preconditions, merge, owners.
#ifndef DYNAMO_TESTS_LIB_KUBE_FAKE_OBJECTS_H_
#define DYNAMO_TESTS_LIB_KUBE_FAKE_OBJECTS_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/kube/object.h"

namespace dynamo::testing {

// "/apis/apps/v1/namespaces/ns/statefulsets/demo/status" in its parts.
struct ObjectPath {
  std::string api, namespace_, plural, name, subresource;

  static std::optional<ObjectPath> Parse(const std::string& path);
  std::string collection() const { return api + "/" + plural; }
};

// "/apis" or "/apis/GROUP/VERSION": what kinds there are.
bool IsDiscovery(const std::string& path);

struct FakeAnswer {
  int status = 200;
  kube::Object body;
};

class FakeObjects {
 public:
  struct Change {
    int64_t version = 0;
    std::string type, collection;  // "ADDED", ...
    kube::Object object;
  };

  FakeAnswer Get(const ObjectPath& path) const;
  // Pages of `limit` items (0: all); the continue token is the number of items seen.
  FakeAnswer List(const ObjectPath& path, const std::string& label_selector, size_t limit,
                  const std::string& token) const;
  // What "/apis" and "/apis/GROUP/VERSION" are asked for: groups and kinds of which there is an object.
  FakeAnswer Discover(const std::string& path) const;
  // Kubernetes' own and the operator's groups, and those of which there is an object.
  bool Serves(const ObjectPath& path) const;
  FakeAnswer Create(const ObjectPath& path, kube::Object object);
  FakeAnswer Apply(const ObjectPath& path, kube::Object object);
  FakeAnswer MergePatch(const ObjectPath& path, const kube::Object& patch);
  // With the precondition's UID, and all that the object owns unless `orphan`.
  FakeAnswer Delete(const ObjectPath& path, const std::string& uid, bool orphan);

  int64_t version() const { return version_; }
  // Changes of a collection after `version`.
  std::vector<Change> ChangesAfter(const std::string& collection, const std::string& namespace_, int64_t version) const;

 private:
  using Key = std::array<std::string, 3>;  // Collection, namespace, name.

  void Commit(const ObjectPath& path, const char* type, kube::Object object);
  FakeAnswer Merge(const ObjectPath& path, const kube::Object& patch);
  void Collect(const std::string& owner_uid);

  std::map<Key, kube::Object> objects_;
  std::vector<Change> changes_;
  int64_t version_ = 100;
  int64_t uids_ = 0;
};

FakeAnswer NotServed();
FakeAnswer FakeStatus(int code, const std::string& reason, const std::string& message);
// RFC 7386.
void MergeInto(kube::json::value& target, const kube::json::value& patch);

}  // namespace dynamo::testing

#endif  // DYNAMO_TESTS_LIB_KUBE_FAKE_OBJECTS_H_
