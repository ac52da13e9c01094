#include "tools/dynamoctl/type_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "common/admin/client.h"
#include "common/base/hash.h"
#include "tools/dynamoctl/table.h"

namespace dynamo::ctl {
namespace {

namespace json = boost::json;

struct CreateTypeArguments {
  std::string operation_id;
  admin::CreateTypeOperation operation;
};

Status ListTypes(const Settings& settings) {
  const auto topology = admin::Client(settings.admin).GetTopology();
  if (!topology) return Fail(topology.error());
  std::ostream& out = *settings.out;
  if (settings.json()) {
    const json::value whole = ToJson(*topology);
    out << json::serialize(json::object{{"epoch", topology->epoch}, {"types", whole.at("types")}}) << '\n';
    return {};
  }
  std::vector<Row> rows;
  for (const auto& type : topology->types) {
    rows.push_back({type.name, type.policy, std::to_string(type.n_val), type.durability});
  }
  PrintTable(out, {"NAME", "POLICY", "N", "DURABILITY"}, rows);
  return {};
}

Status CreateType(const Settings& settings, const CreateTypeArguments& arguments) {
  admin::Client client(settings.admin);
  admin::CreateTypeOperation operation = arguments.operation;
  // The same words make the same operation, so that asking twice creates once.
  const std::string id = arguments.operation_id.empty()
                             ? "type-" + ToHex(HashOf(json::serialize(ToJson(operation)))).substr(0, 16)
                             : arguments.operation_id;
  if (operation.epoch == 0) {
    // What this administrator sees: whoever changes it meanwhile wins.
    const auto topology = client.GetTopology();
    if (!topology) return Fail(topology.error());
    operation.epoch = topology->epoch;
  }
  const auto done = client.CreateType(id, operation);
  if (!done) return Fail(done.error());
  if (settings.json()) {
    *settings.out << json::serialize(ToJson(*done)) << '\n';
  } else {
    *settings.out << fmt::format("Created {}\n", done->message);
  }
  return {};
}

}  // namespace

void AddTypeCommands(CLI::App& app, const Settings* settings, std::function<Status()>* chosen) {
  CLI::App* type = app.add_subcommand("type", "Bucket types: what the buckets of a kind have in common");
  type->require_subcommand(1);
  type->add_subcommand("list", "The bucket types of the cluster")->callback([=] {
    *chosen = [=] { return ListTypes(*settings); };
  });
  const auto arguments = std::make_shared<CreateTypeArguments>();
  admin::CreateTypeOperation& operation = arguments->operation;
  CLI::App* create = type->add_subcommand("create", "Adds a bucket type, decided by a majority of the voters");
  create->add_option("name", operation.name, "1 to 64 letters, digits, '-' or '_'")->required();
  create
      ->add_option("--policy", operation.policy,
                   "Concurrent writes: keep all as siblings, or the last writer wins (lww); fixed for good")
      ->check(CLI::IsMember({"siblings", "lww"}))
      ->capture_default_str();
  create->add_option("--n", operation.n_val, "Replicas of an object (N)")->capture_default_str();
  create
      ->add_option("--durability", operation.durability,
                   "A write is acknowledged once synced (sync), or before: synced soon (interval) or whenever (memory)")
      ->check(CLI::IsMember({"sync", "interval", "memory"}))
      ->capture_default_str();
  create->add_option("--epoch", operation.epoch,
                     "Only if the topology is at this epoch; unless given, at the one the node now holds");
  create->add_option("--operation-id", arguments->operation_id, "The same id again is the same operation");
  create->callback([=] { *chosen = [=] { return CreateType(*settings, *arguments); }; });
}

}  // namespace dynamo::ctl
