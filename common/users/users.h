// Who may do what at the clients' doors: users, their grants, and the file that names
// them. Riak's permissions, as far as the doors have what they permit.
#ifndef DYNAMO_COMMON_USERS_USERS_H_
#define DYNAMO_COMMON_USERS_USERS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/users/password.h"

namespace dynamo {

enum class Permission : uint8_t {
  kGet,
  kPut,
  kDelete,
  kListKeys,
  kListBuckets,
  kGetBucket,
  kSetBucket,
  kGetBucketType,
  kSetBucketType,
};
// "riak_kv.get".
std::string_view PermissionName(Permission permission);
std::optional<Permission> PermissionNamed(std::string_view name);

// What a permission is asked for.
struct GrantTarget {
  std::string_view type;
  std::string_view bucket;  // Empty: the bucket type itself.
};

struct Grant {
  std::set<Permission> permissions;
  std::optional<std::string> type;    // nullopt: any.
  std::optional<std::string> bucket;  // nullopt: the type and every bucket of it.

  bool Covers(Permission permission, GrantTarget target) const;
};

struct User {
  std::string name;
  PasswordHash password;
  std::vector<Grant> grants;

  bool May(Permission permission, GrantTarget target) const;
};

class Users {
 public:
  // kInvalidArgument: the message begins with `file` and the line, and says what is wanted;
  // no password is in it.
  static Result<Users> Parse(std::string_view text, const std::string& file);

  // nullptr: there is no such user.
  const User* Find(std::string_view name) const;
  size_t size() const { return by_name_.size(); }
  // A password that nobody has: finding that a stranger's is wrong takes as long as a user's.
  const PasswordHash& decoy() const { return decoy_; }

 private:
  std::map<std::string, User, std::less<>> by_name_;
  PasswordHash decoy_;
};

// Riak's words: "Permission denied: User 'u' does not have 'riak_kv.get' on t/b".
std::string DenialText(std::string_view user, Permission permission, GrantTarget target);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_USERS_USERS_H_
