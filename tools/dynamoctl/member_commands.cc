#include "tools/dynamoctl/member_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/admin/client.h"
#include "common/base/hash.h"
#include "tools/dynamoctl/copy_text.h"
#include "tools/dynamoctl/table.h"

namespace dynamo::ctl {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kPollEvery{500};
constexpr int kPollsALine = 10;  // Where nothing but bytes has moved.
constexpr int kBarWidth = 30;

struct MemberArguments {
  std::string type;
  std::string operation_id;
  bool wait = false;
  admin::MemberOperation operation;
  std::vector<std::string> join, capacities;  // As typed.
};

// NODE[=ZONE[:CAPACITY]], or NODE=CAPACITY.
Result<admin::MemberOperation::Staged> ParseStaged(const std::string& text, bool capacity_only) {
  admin::MemberOperation::Staged staged;
  const size_t equals = text.find('=');
  staged.node_id = text.substr(0, equals);
  std::string rest = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (!capacity_only) {
    const size_t colon = rest.find(':');
    staged.zone = rest.substr(0, colon);
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  const bool wanted = capacity_only || !rest.empty();
  if (wanted && !CLI::detail::lexical_cast(rest, staged.capacity)) {
    return Fail(Errc::kInvalidArgument, fmt::format("'{}': a capacity is a whole number", text));
  }
  return staged;
}

Status ParseAll(const std::vector<std::string>& texts, bool capacity_only,
                std::vector<admin::MemberOperation::Staged>* out) {
  for (const std::string& text : texts) {
    auto staged = ParseStaged(text, capacity_only);
    if (!staged) return Fail(std::move(staged.error()));
    out->push_back(std::move(*staged));
  }
  return {};
}

Result<admin::MemberOperation> OperationOf(const MemberArguments& arguments) {
  admin::MemberOperation operation = arguments.operation;
  if (Status parsed = ParseAll(arguments.join, false, &operation.join); !parsed) return Fail(std::move(parsed.error()));
  if (Status parsed = ParseAll(arguments.capacities, true, &operation.capacities); !parsed) {
    return Fail(std::move(parsed.error()));
  }
  return operation;
}

Status PrintPlan(const Settings& settings, const admin::Plan& plan) {
  std::ostream& out = *settings.out;
  if (settings.json()) {
    out << json::serialize(ToJson(plan)) << '\n';
    return {};
  }
  std::vector<Row> rows;
  rows.reserve(plan.members.size());
  for (const auto& member : plan.members) {
    rows.push_back({member.name, member.id, member.zone, member.change, std::to_string(member.capacity),
                    std::to_string(member.tokens_before), std::to_string(member.tokens_after),
                    fmt::format("{:.1f}", member.ideal_after)});
  }
  PrintTable(out, {"NAME", "ID", "ZONE", "CHANGE", "CAPACITY", "TOKENS", "AFTER", "IDEAL"}, rows);
  out << fmt::format("\n{} of {} tokens change hands; {} copies of partitions are made (N = {}).\n", plan.moves,
                     plan.partitions, plan.replicas_to_copy, plan.n_val);
  for (const std::string& what : plan.unsatisfied) out << "Cannot be had: " << what << '\n';
  out << fmt::format("Nothing is changed yet. To do it: dynamoctl cluster commit --epoch {} with the same words.\n",
                     plan.epoch);
  return {};
}

Status ShowPlan(const Settings& settings, const MemberArguments& arguments) {
  const auto staged = OperationOf(arguments);
  if (!staged) return Fail(staged.error());
  const auto plan = admin::Client(settings.admin).GetPlan(*staged);
  if (!plan) return Fail(plan.error());
  return PrintPlan(settings, *plan);
}

std::string Bar(const admin::Operation& operation) {
  const int filled =
      operation.to_move == 0 ? kBarWidth : static_cast<int>(kBarWidth * operation.moved / operation.to_move);
  return fmt::format("[{}{}] {}/{} partitions{}", std::string(static_cast<size_t>(filled), '#'),
                     std::string(static_cast<size_t>(kBarWidth - filled), '.'), operation.moved, operation.to_move,
                     CopyText(operation));
}

Status Print(const Settings& settings, const admin::Operation& operation) {
  if (settings.json()) {
    *settings.out << json::serialize(ToJson(operation)) << '\n';
  } else {
    *settings.out << fmt::format("{} {}: {}{}\n", operation.id, operation.state, operation.message,
                                 CopyText(operation));
  }
  return {};
}

// Prints a line whenever a partition has moved, and now and then while one is copied,
// until the operation is over.
Status Follow(const Settings& settings, const std::string& id) {
  admin::Client client(settings.admin);
  std::string said;
  std::optional<uint32_t> moved;
  for (int polls = 0;; ++polls) {
    const auto operation = client.GetOperation(id);
    if (!operation) return Fail(operation.error());
    if (operation->state != "running") return Print(settings, *operation);
    const std::string news = Bar(*operation);
    if ((moved != operation->moved || polls % kPollsALine == 0) && news != said) {
      if (!settings.json()) *settings.out << news << std::endl;
      said = news;
    }
    moved = operation->moved;
    std::this_thread::sleep_for(kPollEvery);
  }
}

Status Change(const Settings& settings, const MemberArguments& arguments) {
  auto operation = OperationOf(arguments);
  if (!operation) return Fail(std::move(operation.error()));
  admin::Client client(settings.admin);
  if (operation->epoch == 0) {
    // What this administrator sees: whoever changes it meanwhile wins.
    const auto topology = client.GetTopology();
    if (!topology) return Fail(topology.error());
    operation->epoch = topology->epoch;
  }
  // The same words at the same epoch make the same operation, so that asking twice
  // changes once.
  const std::string id =
      arguments.operation_id.empty()
          ? arguments.type + "-" + ToHex(HashOf(arguments.type + json::serialize(ToJson(*operation)))).substr(0, 16)
          : arguments.operation_id;
  const auto done = client.Change(id, arguments.type, *operation);
  if (!done) return Fail(done.error());
  if (arguments.wait && done->state == "running") return Follow(settings, id);
  return Print(settings, *done);
}

Status ShowProgress(const Settings& settings, const MemberArguments& arguments) {
  if (arguments.wait) return Follow(settings, arguments.operation_id);
  const auto operation = admin::Client(settings.admin).GetOperation(arguments.operation_id);
  if (!operation) return Fail(operation.error());
  return Print(settings, *operation);
}

// What every change takes.
CLI::App* AddChange(CLI::App& cluster, const char* name, const char* help, const char* type, const Settings* settings,
                    std::function<Status()>* chosen, const std::shared_ptr<MemberArguments>& arguments) {
  arguments->type = type;
  CLI::App* command = cluster.add_subcommand(name, help);
  command->add_option("--operation-id", arguments->operation_id, "The same id again is the same operation");
  command->add_option("--epoch", arguments->operation.epoch,
                      "Only if the topology is at this epoch; unless given, at the one the node now holds");
  command->add_flag("--wait", arguments->wait, "Show how far it is until it is done");
  command->callback([=] { *chosen = [=] { return Change(*settings, *arguments); }; });
  return command;
}

void AddStaging(CLI::App* command, const std::shared_ptr<MemberArguments>& arguments) {
  command->add_option("--join", arguments->join, "NODE[=ZONE[:CAPACITY]]: a running, empty node, by name or id");
  command->add_option("--leave", arguments->operation.leave, "NODE: a member, by name or id");
  command->add_option("--capacity", arguments->capacities, "NODE=CAPACITY");
}

}  // namespace

void AddMemberCommands(CLI::App& cluster, const Settings* settings, std::function<Status()>* chosen) {
  const auto add = [&](const char* name, const char* help, const char* type) {
    const auto arguments = std::make_shared<MemberArguments>();
    return std::pair(AddChange(cluster, name, help, type, settings, chosen, arguments), arguments);
  };
  const auto add_node = [](const auto& made, const char* help) {
    made.first->add_option("node", made.second->operation.node_id, help)->required();
  };
  const auto add_place = [](const auto& made) {
    made.first->add_option("--zone", made.second->operation.zone, "Unless given, what the node itself says");
    made.first->add_option("--capacity", made.second->operation.capacity, "Unless given, what the node itself says");
  };
  const auto join = add("join", "Takes a running, empty node into the cluster", "join");
  add_node(join, "The node, by name or id");
  add_place(join);
  add_node(add("leave", "Moves all that a member owns to the others, then lets it go", "leave"), "By name or id");
  const auto replace = add("replace", "Gives the place of a member whose disk is lost to an empty node", "replace");
  replace.first->add_option("old", replace.second->operation.old_id, "The member whose disk is lost, by name or id")
      ->required();
  add_node(replace, "The node in its place, by name or id");
  add_place(replace);
  const auto capacity = add("capacity", "Gives a member a share of the ring by another capacity", "capacity");
  add_node(capacity, "By name or id");
  capacity.first->add_option("capacity", capacity.second->operation.capacity, "At least 1")->required();
  add("rebalance", "Places the tokens anew, where the members' shares are not what they should be", "rebalance");
  add("cancel", "Turns the change under way round: what has moved moves back", "cancel");
  add_node(
      add("forget", "Drops a member that has left or was replaced, or that leaves and will not come back", "forget"),
      "By id");
  const auto commit = add("commit", "Several changes at once, as planned", "change");
  AddStaging(commit.first, commit.second);

  const auto planned = std::make_shared<MemberArguments>();
  CLI::App* plan = cluster.add_subcommand("plan", "What a change would move; changes nothing");
  AddStaging(plan, planned);
  plan->callback([=] { *chosen = [=] { return ShowPlan(*settings, *planned); }; });
  const auto asked = std::make_shared<MemberArguments>();
  CLI::App* progress = cluster.add_subcommand("progress", "How far an operation is");
  progress->add_option("id", asked->operation_id, "The operation's id")->required();
  progress->add_flag("--wait", asked->wait, "Show how far it is until it is done");
  progress->callback([=] { *chosen = [=] { return ShowProgress(*settings, *asked); }; });
}

}  // namespace dynamo::ctl
