// The conditions of a status: what is true of an object, since when, and why.
#ifndef DYNAMO_COMMON_KUBE_CONDITIONS_H_
#define DYNAMO_COMMON_KUBE_CONDITIONS_H_

#include <cstdint>
#include <map>
#include <string>

#include "common/kube/object.h"

namespace dynamo::kube {

struct Condition {
  std::string status = "Unknown";  // "True", "False", "Unknown".
  std::string reason, message;
  int64_t observed_generation = 0;
  std::string since;  // RFC 3339.

  friend bool operator==(const Condition&, const Condition&) = default;
};

class Conditions {
 public:
  static Conditions FromStatus(const Object& object);

  // `now` becomes the time of the transition if the status changes.
  void Set(const std::string& type, const std::string& status, const std::string& reason, const std::string& message,
           int64_t generation, const std::string& now);
  // Null: never set.
  const Condition* Get(const std::string& type) const;
  bool IsTrue(const std::string& type) const;
  json::array ToJson() const;

  friend bool operator==(const Conditions&, const Conditions&) = default;

 private:
  std::map<std::string, Condition> by_type_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_CONDITIONS_H_
