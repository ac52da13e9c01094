#include "tools/dynamoctl/cluster_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "common/admin/client.h"
#include "common/base/hash.h"
#include "tools/dynamoctl/loss_commands.h"
#include "tools/dynamoctl/member_commands.h"
#include "tools/dynamoctl/object_client.h"
#include "tools/dynamoctl/table.h"

namespace dynamo::ctl {
namespace {

namespace json = boost::json;

Status PrintJson(const Settings& settings, const json::value& value) {
  *settings.out << json::serialize(value) << '\n';
  return {};
}

std::vector<Row> MemberRows(const std::vector<admin::Member>& members) {
  std::vector<Row> rows;
  rows.reserve(members.size());
  for (const admin::Member& member : members) {
    rows.push_back({member.name, member.id, member.zone, std::to_string(member.capacity), std::to_string(member.tokens),
                    member.state.empty() ? "no member" : member.state, member.liveness, member.peer_address});
  }
  return rows;
}

const Row kMemberHeads{"NAME", "ID", "ZONE", "CAPACITY", "TOKENS", "STATE", "LIVENESS", "PEER ADDRESS"};

Status ShowMembers(const Settings& settings) {
  const auto members = admin::Client(settings.admin).GetMembers();
  if (!members) return Fail(members.error());
  if (settings.json()) return PrintJson(settings, ToJson(*members));
  PrintTable(*settings.out, kMemberHeads, MemberRows(members->members));
  return {};
}

Status ShowStatus(const Settings& settings) {
  admin::Client client(settings.admin);
  const auto identity = client.GetIdentity();
  if (!identity) return Fail(identity.error());
  const auto ready = client.IsReady();
  const auto members = client.GetMembers();
  if (!members) return Fail(members.error());
  const auto hints = client.GetHints();
  if (!hints) return Fail(hints.error());
  const auto topology = client.GetTopology();
  if (settings.json()) {
    json::object out{{"identity", ToJson(*identity)}, {"members", ToJson(*members)}, {"hints", ToJson(*hints)}};
    out["ready"] = ready.has_value() && *ready;
    if (topology) out["topology"] = ToJson(*topology);
    return PrintJson(settings, out);
  }
  std::ostream& out = *settings.out;
  out << fmt::format("Node     {} ({}, boot {})\n", identity->node_id, ready && *ready ? "ready" : "not ready",
                     identity->boot_number);
  if (topology) {
    out << fmt::format("Cluster  {}, epoch {}.{}, {} partitions\n", topology->cluster_id, topology->generation,
                       topology->epoch, topology->partitions);
  } else {
    out << "Cluster  none yet: make one with dynamoctl cluster create --members HOST:PORT,...\n";
  }
  if (topology) out << DescribeLosses(*topology);
  out << fmt::format("Hints    {} kept by this node for others\n\n", hints->total);
  PrintTable(out, kMemberHeads, MemberRows(members->members));
  return {};
}

Status ShowRing(const Settings& settings) {
  const auto topology = admin::Client(settings.admin).GetTopology();
  if (!topology) return Fail(topology.error());
  if (settings.json()) return PrintJson(settings, ToJson(*topology));
  std::map<std::string, std::string> names;
  for (const admin::Member& member : topology->members) names[member.id] = member.name;
  std::ostream& out = *settings.out;
  out << fmt::format("Cluster {}, epoch {}.{}, {} partitions, hash {}\n\n", topology->cluster_id, topology->generation,
                     topology->epoch, topology->partitions, topology->hash);
  std::vector<Row> shares;
  for (const admin::Member& member : topology->members) {
    shares.push_back({member.name, member.zone, std::to_string(member.capacity), std::to_string(member.tokens),
                      fmt::format("{:.1f} %", 100.0 * member.tokens / topology->partitions)});
  }
  PrintTable(out, {"NAME", "ZONE", "CAPACITY", "TOKENS", "SHARE"}, shares);
  out << "\nOwners of the tokens, in ring order:\n";
  for (size_t i = 0; i < topology->owners.size(); ++i) {
    const std::string& owner = topology->owners[i];
    out << fmt::format("{:>5}  {}\n", i, names.contains(owner) ? names[owner] : owner);
  }
  return {};
}

Status Locate(const Settings& settings, const std::string& object) {
  const auto name = ParseObjectName(object);
  if (!name) return Fail(name.error());
  const auto location = admin::Client(settings.admin).Locate(name->type, name->bucket, name->key);
  if (!location) return Fail(location.error());
  if (settings.json()) return PrintJson(settings, ToJson(*location));
  std::ostream& out = *settings.out;
  out << fmt::format("Position   {}\nPartition  {}\nN          {}\n\nThe walk clockwise:\n", location->position,
                     location->partition, location->n_val);
  std::vector<Row> steps;
  for (const auto& step : location->walk) {
    steps.push_back({std::to_string(step.partition), step.name, step.node_id, step.zone, step.role});
  }
  PrintTable(out, {"TOKEN", "NAME", "ID", "ZONE", "ROLE"}, steps);
  out << "\nWho holds it:\n";
  std::vector<Row> holders;
  for (const auto& holder : location->holders) {
    const std::string what = !holder.reachable ? "unreachable"
                             : !holder.has_object
                                 ? "nothing"
                                 : fmt::format("{} sibling{}{}", holder.siblings, holder.siblings == 1 ? "" : "s",
                                               holder.hint ? ", as a hint" : "");
    holders.push_back({holder.name, holder.node_id, what, holder.digest});
  }
  PrintTable(out, {"NAME", "ID", "HOLDS", "DIGEST"}, holders);
  return {};
}

struct CreateArguments {
  std::string operation_id;
  std::string members;
  uint32_t partitions = 256;
  uint32_t n_val = 3;
  uint64_t seed = 0;
};

// HOST:PORT[=ZONE[:CAPACITY]],...
Result<std::vector<admin::CreateOperation::Member>> ParseMembers(const std::string& text) {
  std::vector<admin::CreateOperation::Member> out;
  for (const std::string& item : CLI::detail::split(text, ',')) {
    admin::CreateOperation::Member member;
    const size_t equals = item.find('=');
    member.peer_address = item.substr(0, equals);
    if (equals != std::string::npos) {
      const std::string rest = item.substr(equals + 1);
      const size_t colon = rest.find(':');
      member.zone = rest.substr(0, colon);
      if (colon != std::string::npos && !CLI::detail::lexical_cast(rest.substr(colon + 1), member.capacity)) {
        return Fail(Errc::kInvalidArgument, fmt::format("'{}': a capacity is a whole number", item));
      }
    }
    if (member.peer_address.find(':') == std::string::npos) {
      return Fail(
          Errc::kInvalidArgument,
          fmt::format("'{}' is no member: want HOST:PORT[=ZONE[:CAPACITY]], the port being the peer port", item));
    }
    out.push_back(std::move(member));
  }
  return out;
}

Status Create(const Settings& settings, const CreateArguments& arguments) {
  auto members = ParseMembers(arguments.members);
  if (!members) return Fail(members.error());
  admin::CreateOperation operation;
  operation.partitions = arguments.partitions;
  operation.n_val = arguments.n_val;
  operation.ring_seed = arguments.seed;
  operation.members = std::move(*members);
  // The same words make the same operation, so that asking twice creates once.
  const std::string id = arguments.operation_id.empty()
                             ? "create-" + ToHex(HashOf(json::serialize(ToJson(operation)))).substr(0, 16)
                             : arguments.operation_id;
  const auto done = admin::Client(settings.admin).Create(id, operation);
  if (!done) return Fail(done.error());
  if (settings.json()) return PrintJson(settings, ToJson(*done));
  *settings.out << fmt::format("Created cluster {}: {}\n", done->cluster_id, done->message);
  return {};
}

}  // namespace

void AddClusterCommands(CLI::App& app, const Settings* settings, std::function<Status()>* chosen) {
  app.add_subcommand("status", "A node, its cluster and members at a glance")->callback([=] {
    *chosen = [=] { return ShowStatus(*settings); };
  });
  app.add_subcommand("members", "The members as one node sees them")->callback([=] {
    *chosen = [=] { return ShowMembers(*settings); };
  });
  app.add_subcommand("ring", "Who owns which tokens")->callback([=] { *chosen = [=] { return ShowRing(*settings); }; });
  const auto object = std::make_shared<std::string>();
  CLI::App* locate = app.add_subcommand("locate", "Where an object belongs, the walk to it, and who holds it");
  locate->add_option("object", *object, "TYPE/BUCKET/KEY")->required();
  locate->callback([=] { *chosen = [=] { return Locate(*settings, *object); }; });

  CLI::App* cluster = app.add_subcommand("cluster", "Changes of the cluster");
  cluster->require_subcommand(1);
  const auto arguments = std::make_shared<CreateArguments>();
  CLI::App* create = cluster->add_subcommand("create", "Makes a cluster, once, of empty nodes");
  create
      ->add_option("--members", arguments->members,
                   "All members, HOST:PORT[=ZONE[:CAPACITY]],... (peer ports; the node asked is one of them)")
      ->required();
  create->add_option("--partitions", arguments->partitions, "Partitions of the ring, fixed for good: 8 to 4096, 2^k")
      ->capture_default_str();
  create->add_option("--n-val", arguments->n_val, "Replicas of an object (N)")->capture_default_str();
  create->add_option("--seed", arguments->seed, "Seed of the ring's hash; 0 draws one")->capture_default_str();
  create->add_option("--operation-id", arguments->operation_id, "The same id again is the same operation");
  create->callback([=] { *chosen = [=] { return Create(*settings, *arguments); }; });
  AddMemberCommands(*cluster, settings, chosen);
  AddLossCommands(*cluster, settings, chosen);
  cluster->add_subcommand("status", "As dynamoctl status")->callback([=] {
    *chosen = [=] { return ShowStatus(*settings); };
  });
}

}  // namespace dynamo::ctl
