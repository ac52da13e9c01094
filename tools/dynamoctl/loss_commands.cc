#include "tools/dynamoctl/loss_commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <ostream>

#include "common/admin/client.h"
#include "common/admin/ranges.h"
#include "common/base/hash.h"

namespace dynamo::ctl {
namespace {

namespace json = boost::json;

struct LossArguments {
  std::string type, operation_id, partitions;
  admin::LossOperation operation;
};

std::string NameOr(const std::map<std::string, std::string>& names, const std::string& id) {
  const auto found = names.find(id);
  return found == names.end() ? id : fmt::format("{} ({})", found->second, id);
}

Status Declare(const Settings& settings, const LossArguments& arguments) {
  admin::LossOperation operation = arguments.operation;
  if (!arguments.partitions.empty()) {
    auto partitions = admin::ParseRanges(arguments.partitions);
    if (!partitions) return Fail(std::move(partitions.error()));
    operation.partitions = std::move(*partitions);
  }
  admin::Client client(settings.admin);
  // The same words at the same epoch make the same operation.
  const auto topology = client.GetTopology();
  if (!topology) return Fail(topology.error());
  json::value body = ToJson(operation);
  const std::string words =
      fmt::format("{} {}.{} {}", arguments.type, topology->generation, topology->epoch, json::serialize(body));
  const std::string id = arguments.operation_id.empty() ? arguments.type + "-" + ToHex(HashOf(words)).substr(0, 16)
                                                        : arguments.operation_id;
  body.get_object()["type"] = arguments.type;
  const auto done = client.Start(id, body.get_object());
  if (!done) return Fail(done.error());
  if (settings.json()) {
    *settings.out << json::serialize(ToJson(*done)) << '\n';
    return {};
  }
  *settings.out << fmt::format("{}: {}\n", done->id, done->message);
  const auto after = client.GetTopology();
  if (after) *settings.out << DescribeLosses(*after);
  return {};
}

CLI::App* AddLoss(CLI::App& cluster, const char* type, const char* help, const Settings* settings,
                  std::function<Status()>* chosen, const std::shared_ptr<LossArguments>& arguments) {
  arguments->type = type;
  if (const char* user = std::getenv("USER")) arguments->operation.by = user;
  CLI::App* command = cluster.add_subcommand(type, help);
  command->add_option("--cluster", arguments->operation.cluster_id, "The id of the cluster that is meant")->required();
  command->add_option("--lost", arguments->operation.nodes, "Members whose disks are lost for good, by name or id")
      ->required()
      ->delimiter(',');
  command->add_option("--by", arguments->operation.by, "Who says so, for the record; unless given, $USER");
  command->add_option("--operation-id", arguments->operation_id, "The same id again is the same operation");
  command->callback([=] { *chosen = [=] { return Declare(*settings, *arguments); }; });
  return command;
}

}  // namespace

std::string DescribeLosses(const admin::Topology& topology) {
  std::map<std::string, std::string> names;
  for (const admin::Member& member : topology.members) names[member.id] = member.name;
  std::string text;
  for (const admin::Loss& loss : topology.losses) {
    std::vector<std::string> nodes;
    nodes.reserve(loss.nodes.size());
    for (const std::string& id : loss.nodes) nodes.push_back(NameOr(names, id));
    const bool forced = loss.kind == "forced-topology";
    const std::string partitions = loss.partitions.empty() ? "no partition" : admin::FormatRanges(loss.partitions);
    const std::string what =
        forced ? fmt::format("went on without {}; every copy is lost of: {}", fmt::join(nodes, ", "), partitions)
               : fmt::format("what only {} had is given up for: {}", fmt::join(nodes, ", "), partitions);
    text += fmt::format("Lost     {:%Y-%m-%d %H:%M:%S} UTC, epoch {}.{}, by '{}' ({}): {}\n",
                        fmt::gmtime(static_cast<std::time_t>(loss.at_ms / 1000)), loss.generation, loss.epoch, loss.by,
                        loss.operation_id, what);
  }
  return text;
}

void AddLossCommands(CLI::App& cluster, const Settings* settings, std::function<Status()>* chosen) {
  const auto forced = std::make_shared<LossArguments>();
  AddLoss(cluster, "force-topology",
          "DANGEROUS: goes on without the majority of the voters. Only when their disks are lost for good", settings,
          chosen, forced);
  const auto accepted = std::make_shared<LossArguments>();
  AddLoss(cluster, "accept-loss", "DANGEROUS: lets partitions go on without data that lost disks alone may have had",
          settings, chosen, accepted)
      ->add_option("--partitions", accepted->partitions, "As 0-3,7; see dynamoctl cluster progress")
      ->required();
}

}  // namespace dynamo::ctl
