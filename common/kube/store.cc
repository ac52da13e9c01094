#include "common/kube/store.h"

#include <utility>

namespace dynamo::kube {

void Store::Replace(std::vector<Object> items) {
  std::map<std::string, ObjectRef> fresh;
  for (Object& item : items) {
    std::string key = KeyOf(item);
    fresh[std::move(key)] = std::make_shared<const Object>(std::move(item));
  }
  std::map<std::string, ObjectRef> stale;
  {
    const std::lock_guard lock(mutex_);
    stale = std::exchange(objects_, fresh);
    synced_ = true;
  }
  if (!on_change_) return;
  for (const auto& [key, before] : stale) {
    if (!fresh.contains(key)) on_change_(key, before, nullptr);
  }
  for (const auto& [key, after] : fresh) {
    const auto before = stale.find(key);
    const bool known = before != stale.end();
    if (known && ResourceVersionOf(*before->second) == ResourceVersionOf(*after)) continue;
    on_change_(key, known ? before->second : nullptr, after);
  }
}

void Store::Take(WatchEvent event) {
  if (event.type == WatchEvent::Type::kBookmark) return;
  const std::string key = KeyOf(event.object);
  ObjectRef before, after;
  {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found != objects_.end()) before = found->second;
    if (event.type == WatchEvent::Type::kDeleted) {
      if (before) objects_.erase(found);
    } else {
      after = std::make_shared<const Object>(std::move(event.object));
      objects_[key] = after;
    }
  }
  if (on_change_ && (before || after)) on_change_(key, before, after);
}

bool Store::synced() const {
  const std::lock_guard lock(mutex_);
  return synced_;
}

ObjectRef Store::Get(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectRef> Store::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<ObjectRef> all;
  for (const auto& [key, object] : objects_) all.push_back(object);
  return all;
}

}  // namespace dynamo::kube
