// What is known of a collection: a copy kept fresh by a Reflector.
#ifndef DYNAMO_COMMON_KUBE_STORE_H_
#define DYNAMO_COMMON_KUBE_STORE_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/kube/rest_client.h"
#include "common/kube/watch_stream.h"

namespace dynamo::kube {

// Shared, never changed.
using ObjectRef = std::shared_ptr<const Object>;

// Safe to call from any thread.
class Store {
 public:
  // Null `before`: new. Null `after`: deleted. Called by the thread that changes the
  // store, after the change.
  using OnChange = std::function<void(const std::string& key, const ObjectRef& before, const ObjectRef& after)>;

  explicit Store(OnChange on_change = nullptr) : on_change_(std::move(on_change)) {}

  // The whole collection, as a list gave it. What is no more in it was deleted
  // while nobody watched.
  void Replace(std::vector<Object> items);
  void Take(WatchEvent event);

  // False until the first list: an empty answer of Get or List means nothing before.
  bool synced() const;
  // Null: not there, as far as is known. Never enough to destroy anything: ask live.
  ObjectRef Get(const std::string& key) const;
  std::vector<ObjectRef> List() const;

 private:
  mutable std::mutex mutex_;
  bool synced_ = false;
  std::map<std::string, ObjectRef> objects_;
  const OnChange on_change_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_STORE_H_
