#include "common/kube/conditions.h"

#include <boost/json/array.hpp>

namespace dynamo::kube {

Conditions Conditions::FromStatus(const Object& object) {
  Conditions out;
  const json::value* list = Find(object, "status.conditions");
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& item : list->get_array()) {
    if (!item.is_object()) continue;
    const Object& entry = item.get_object();
    out.by_type_[StringAt(entry, "type")] = {StringAt(entry, "status"), StringAt(entry, "reason"),
                                             StringAt(entry, "message"), IntAt(entry, "observedGeneration"),
                                             StringAt(entry, "lastTransitionTime")};
  }
  return out;
}

void Conditions::Set(const std::string& type, const std::string& status, const std::string& reason,
                     const std::string& message, int64_t generation, const std::string& now) {
  Condition& condition = by_type_[type];
  if (condition.status != status || condition.since.empty()) condition.since = now;
  condition.status = status;
  condition.reason = reason;
  condition.message = message;
  condition.observed_generation = generation;
}

const Condition* Conditions::Get(const std::string& type) const {
  const auto found = by_type_.find(type);
  return found == by_type_.end() ? nullptr : &found->second;
}

bool Conditions::IsTrue(const std::string& type) const {
  const Condition* condition = Get(type);
  return condition != nullptr && condition->status == "True";
}

json::array Conditions::ToJson() const {
  json::array out;
  for (const auto& [type, condition] : by_type_) {
    out.push_back(Object{{"type", type},
                         {"status", condition.status},
                         {"reason", condition.reason},
                         {"message", condition.message},
                         {"observedGeneration", condition.observed_generation},
                         {"lastTransitionTime", condition.since}});
  }
  return out;
}

}  // namespace dynamo::kube
