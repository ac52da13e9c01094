#include "common/users/users.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>

namespace dynamo {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kFile[] = R"(users:
  - name: app
    password: sesame
    grants:
      - permissions: [riak_kv.get, riak_kv.put]
        on: {type: default, bucket: carts}
      - permissions: [riak_kv.get]
        on: {type: siblings}
      - permissions: [riak_core.get_bucket_type]
        on: any
  - name: idle
    password: idle
)";

Users Parse(const std::string& text) {
  auto users = Users::Parse(text, "users.yaml");
  EXPECT_TRUE(users) << users.error().message;
  return users ? std::move(*users) : Users();
}

std::string ErrorOf(const std::string& text) {
  const auto users = Users::Parse(text, "users.yaml");
  return users ? "" : users.error().message;
}

TEST(Users, AGrantCoversItsPermissionsOnItsTargetAndNothingElse) {
  const Users users = Parse(kFile);
  const User* app = users.Find("app");
  ASSERT_NE(app, nullptr);
  EXPECT_TRUE(app->May(Permission::kGet, {"default", "carts"}));
  EXPECT_TRUE(app->May(Permission::kPut, {"default", "carts"}));
  EXPECT_FALSE(app->May(Permission::kDelete, {"default", "carts"}));
  EXPECT_FALSE(app->May(Permission::kGet, {"default", "cart"}));
  EXPECT_FALSE(app->May(Permission::kGet, {"default", ""}));
  EXPECT_FALSE(app->May(Permission::kPut, {"siblings", "carts"}));
  EXPECT_TRUE(app->May(Permission::kGet, {"siblings", "any"}));
  EXPECT_TRUE(app->May(Permission::kGet, {"siblings", ""}));
  EXPECT_TRUE(app->May(Permission::kGetBucketType, {"other", ""}));
  EXPECT_FALSE(app->May(Permission::kSetBucketType, {"other", ""}));
}

TEST(Users, WhoHasNoGrantMayNothing) {
  const Users users = Parse(kFile);
  ASSERT_NE(users.Find("idle"), nullptr);
  EXPECT_FALSE(users.Find("idle")->May(Permission::kGet, {"default", "carts"}));
  EXPECT_EQ(users.Find("nobody"), nullptr);
  EXPECT_EQ(users.size(), 2u);
}

TEST(Users, EveryPermissionHasTheNameItIsFoundBy) {
  for (int i = 0; i <= static_cast<int>(Permission::kSetBucketType); ++i) {
    const auto permission = static_cast<Permission>(i);
    EXPECT_EQ(PermissionNamed(PermissionName(permission)), permission);
  }
  EXPECT_EQ(PermissionNamed("riak_kv.mapreduce"), std::nullopt);
}

TEST(Users, APasswordMayBePlainOrHashed) {
  const PasswordHash hash = HashPassword("hidden", "salt", 9);
  const Users users =
      Parse(fmt::format("users:\n- {{name: a, password: open}}\n- {{name: b, password_hash: '{}'}}\n", ToText(hash)));
  EXPECT_TRUE(IsPassword(users.Find("a")->password, "open"));
  EXPECT_FALSE(IsPassword(users.Find("a")->password, "hidden"));
  EXPECT_EQ(users.Find("b")->password, hash);
  // A stranger waits for as long as a user would.
  EXPECT_EQ(users.decoy().iterations, 9u);
  EXPECT_FALSE(IsPassword(users.decoy(), ""));
}

TEST(Users, ReadingTheFileAgainGivesTheSamePasswords) {
  EXPECT_EQ(Parse(kFile).Find("app")->password, Parse(kFile).Find("app")->password);
}

TEST(Users, AWrongFileIsRefusedByLineAndField) {
  const std::string user = "users:\n- name: a\n  password: p\n  grants:\n";
  for (const auto& [text, line, what] : {
           std::tuple(std::string(""), 1, "the file: wants lines"),
           std::tuple(std::string("users: []\n"), 1, "users: wants a list of at least one user"),
           std::tuple(std::string("people: []\n"), 1, "unknown field \"people\""),
           std::tuple(std::string("users:\n- password: p\n"), 2, "name: wants a text"),
           std::tuple(std::string("users:\n- name: a\n"), 2, "either password_hash or password"),
           std::tuple(std::string("users:\n- name: a\n  password: p\n  password_hash: p\n"), 2, "either"),
           std::tuple(std::string("users:\n- name: a:b\n  password: p\n"), 2, "colon"),
           std::tuple(std::string("users:\n- name: a\n  password_hash: x\n"), 3, "password_hash: wants pbkdf2"),
           std::tuple(std::string("users:\n- {name: a, password: p}\n- {name: a, password: p}\n"), 3, "there twice"),
           std::tuple(std::string("users:\n- name: a\n  name: b\n  password: p\n"), 3, "\"name\" is given twice"),
           std::tuple(user + "  - on: any\n", 5, "permissions: wants a list"),
           std::tuple(user + "  - permissions: [riak_kv.fly]\n    on: any\n", 5, "unknown permission \"riak_kv.fly\""),
           std::tuple(user + "  - permissions: [riak_kv.get]\n", 5, "on: wants any"),
           std::tuple(user + "  - permissions: [riak_kv.get]\n    on: all\n", 5, "on: wants any"),
           std::tuple(user + "  - permissions: [riak_kv.get]\n    on: {bucket: b}\n", 6, "type: wants a text"),
           std::tuple(user + "  - permissions: [riak_kv.get]\n    on: {type: t, key: k}\n", 6, "unknown field \"key\""),
           std::tuple(std::string("users: [\n"), 2, ""),
       }) {
    const std::string error = ErrorOf(text);
    EXPECT_THAT(error, StartsWith(fmt::format("users.yaml:{}: ", line))) << text;
    EXPECT_THAT(error, HasSubstr(what)) << text;
  }
}

TEST(Users, ADenialIsInRiaksWords) {
  EXPECT_EQ(DenialText("x", Permission::kPut, {"default", "b"}),
            "Permission denied: User 'x' does not have 'riak_kv.put' on default/b");
  EXPECT_EQ(DenialText("x", Permission::kListBuckets, {"t", ""}),
            "Permission denied: User 'x' does not have 'riak_kv.list_buckets' on t");
}

}  // namespace
}  // namespace dynamo
