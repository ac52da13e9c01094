#include "common/users/users.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace dynamo {
namespace {

constexpr std::array<std::pair<Permission, std::string_view>, 9> kNames = {{
    {Permission::kGet, "riak_kv.get"},
    {Permission::kPut, "riak_kv.put"},
    {Permission::kDelete, "riak_kv.delete"},
    {Permission::kListKeys, "riak_kv.list_keys"},
    {Permission::kListBuckets, "riak_kv.list_buckets"},
    {Permission::kGetBucket, "riak_core.get_bucket"},
    {Permission::kSetBucket, "riak_core.set_bucket"},
    {Permission::kGetBucketType, "riak_core.get_bucket_type"},
    {Permission::kSetBucketType, "riak_core.set_bucket_type"},
}};

}  // namespace

std::string_view PermissionName(Permission permission) {
  return std::ranges::find(kNames, permission, &std::pair<Permission, std::string_view>::first)->second;
}

std::optional<Permission> PermissionNamed(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &std::pair<Permission, std::string_view>::second);
  return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

bool Grant::Covers(Permission permission, GrantTarget target) const {
  if (!permissions.contains(permission)) return false;
  if (type && *type != target.type) return false;
  return !bucket || *bucket == target.bucket;
}

bool User::May(Permission permission, GrantTarget target) const {
  return std::ranges::any_of(grants, [&](const Grant& grant) { return grant.Covers(permission, target); });
}

const User* Users::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

std::string DenialText(std::string_view user, Permission permission, GrantTarget target) {
  return fmt::format("Permission denied: User '{}' does not have '{}' on {}{}{}", user, PermissionName(permission),
                     target.type, target.bucket.empty() ? "" : "/", target.bucket);
}

}  // namespace dynamo
