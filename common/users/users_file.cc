// The file of users: users -> name, password_hash or password, grants -> permissions, on.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "common/users/users.h"
#include "common/yaml/load.h"

namespace dynamo {
namespace {

// Reads one file; knows its name for what it says of it.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Result<std::vector<User>> ReadUsers(const YAML::Node& root) const {
    if (auto map = CheckMap(root, "the file", {"users"}); !map) return Fail(map.error());
    const YAML::Node list = root["users"];
    if (!list || !list.IsSequence() || list.size() == 0) return Wrong(root, "users: wants a list of at least one user");
    std::vector<User> users;
    for (const YAML::Node& node : list) {
      auto user = ReadUser(node);
      if (!user) return Fail(user.error());
      if (std::ranges::find(users, user->name, &User::name) != users.end()) {
        return Wrong(node, fmt::format("user \"{}\" is there twice", user->name));
      }
      users.push_back(std::move(*user));
    }
    return users;
  }

 private:
  tl::unexpected<Error> Wrong(const YAML::Node& at, const std::string& what) const {
    return Fail(YamlErrorAt(file_, at.Mark(), what));
  }

  // A map of these fields, each at most once.
  Status CheckMap(const YAML::Node& node, const char* of, std::initializer_list<std::string_view> fields) const {
    if (!node.IsMap()) return Wrong(node, fmt::format("{}: wants lines of \"name: value\"", of));
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Wrong(entry.first, fmt::format("{}: wants the name of a field", of));
      const std::string& name = entry.first.Scalar();
      if (std::ranges::find(fields, name) == fields.end()) {
        return Wrong(entry.first, fmt::format("{}: unknown field \"{}\"", of, name));
      }
      if (!seen.insert(name).second) return Wrong(entry.first, fmt::format("{}: \"{}\" is given twice", of, name));
    }
    return {};
  }

  // Not empty.
  Result<std::string> ReadText(const YAML::Node& map, const char* field) const {
    const YAML::Node value = map[field];
    if (!value || !value.IsScalar() || value.Scalar().empty()) {
      return Wrong(value && !value.IsNull() ? value : map, fmt::format("{}: wants a text", field));
    }
    return value.Scalar();
  }

  Result<User> ReadUser(const YAML::Node& node) const {
    if (auto map = CheckMap(node, "a user", {"name", "password", "password_hash", "grants"}); !map) {
      return Fail(map.error());
    }
    User user;
    auto name = ReadText(node, "name");
    if (!name) return Fail(name.error());
    // HTTP's basic authentication ends the name at the first one.
    if (name->find(':') != std::string::npos) return Wrong(node["name"], "name: must not hold a colon");
    user.name = std::move(*name);
    auto password = ReadPassword(node, user.name);
    if (!password) return Fail(password.error());
    user.password = std::move(*password);
    const YAML::Node grants = node["grants"];
    if (!grants) return user;
    if (!grants.IsSequence()) return Wrong(grants.IsNull() ? node : grants, "grants: wants a list");
    for (const YAML::Node& item : grants) {
      auto grant = ReadGrant(item);
      if (!grant) return Fail(grant.error());
      user.grants.push_back(std::move(*grant));
    }
    return user;
  }

  Result<PasswordHash> ReadPassword(const YAML::Node& user, const std::string& name) const {
    const bool plain = static_cast<bool>(user["password"]);
    if (plain == static_cast<bool>(user["password_hash"])) {
      return Wrong(user, fmt::format("user \"{}\": wants either password_hash or password", name));
    }
    auto text = ReadText(user, plain ? "password" : "password_hash");
    if (!text) return Fail(text.error());
    // Whoever reads the file knows it anyway; the same text gives the same hash, so that
    // reading the file again makes no stranger of a user.
    if (plain) return HashPassword(*text, "plain " + name, 1);
    auto hash = ParsePasswordHash(*text);
    if (!hash) return Wrong(user["password_hash"], "password_hash: " + hash.error().message);
    return hash;
  }

  Result<Grant> ReadGrant(const YAML::Node& node) const {
    if (auto map = CheckMap(node, "a grant", {"permissions", "on"}); !map) return Fail(map.error());
    Grant grant;
    const YAML::Node permissions = node["permissions"];
    if (!permissions || !permissions.IsSequence() || permissions.size() == 0) {
      return Wrong(node, "permissions: wants a list of at least one, such as riak_kv.get");
    }
    for (const YAML::Node& item : permissions) {
      const auto permission = item.IsScalar() ? PermissionNamed(item.Scalar()) : std::nullopt;
      if (!permission) return Wrong(item, "permissions: unknown permission" + Quoted(item));
      grant.permissions.insert(*permission);
    }
    const YAML::Node on = node["on"];
    if (on && on.IsScalar() && on.Scalar() == "any") return grant;
    if (!on || !on.IsMap()) return Wrong(node, "on: wants any, {type: T} or {type: T, bucket: B}");
    if (auto map = CheckMap(on, "on", {"type", "bucket"}); !map) return Fail(map.error());
    auto type = ReadText(on, "type");
    if (!type) return Fail(type.error());
    grant.type = std::move(*type);
    if (!on["bucket"]) return grant;
    auto bucket = ReadText(on, "bucket");
    if (!bucket) return Fail(bucket.error());
    grant.bucket = std::move(*bucket);
    return grant;
  }

  static std::string Quoted(const YAML::Node& node) {
    return node.IsScalar() ? fmt::format(" \"{}\"", node.Scalar()) : "";
  }

  const std::string& file_;
};

}  // namespace

Result<Users> Users::Parse(std::string_view text, const std::string& file) {
  const auto root = LoadYaml(text, file);
  if (!root) return Fail(root.error());
  try {
    auto read = Reader(file).ReadUsers(*root);
    if (!read) return Fail(read.error());
    Users users;
    for (User& user : *read) {
      users.decoy_.iterations = std::max(users.decoy_.iterations, user.password.iterations);
      std::string name = user.name;
      users.by_name_.emplace(std::move(name), std::move(user));
    }
    users.decoy_.salt = "decoy";
    return users;
  } catch (const YAML::Exception& error) {
    return Fail(YamlErrorAt(file, error.mark, error.msg));
  }
}

}  // namespace dynamo
