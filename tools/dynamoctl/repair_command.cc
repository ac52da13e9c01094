#include "tools/dynamoctl/repair_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <thread>

#include "common/admin/client.h"

namespace dynamo::ctl {
namespace {

constexpr std::chrono::milliseconds kAskEvery{250};

struct RepairArguments {
  int64_t partition = -1;
  bool wait = false;
  std::string operation_id;
};

// Each call is a repair of its own, unless it is given a name.
std::string DrawId() {
  std::random_device device;
  return fmt::format("repair-{:08x}{:08x}", device(), device());
}

std::string Describe(const admin::Repair& repair) {
  return fmt::format("{}: {} of {} exchanges, {} leaves differed, {} keys repaired, {} not, {} exchanges failed",
                     repair.state, repair.exchanges_done + repair.exchanges_failed, repair.exchanges,
                     repair.leaves_differing, repair.keys_repaired, repair.keys_failed, repair.exchanges_failed);
}

// Follows it to its end, and says what is new meanwhile.
Result<admin::Repair> WaitFor(const Settings& settings, admin::Client& client, admin::Repair repair) {
  std::string said;
  while (repair.state == "running") {
    const std::string now = Describe(repair);
    if (now != said && !settings.json()) *settings.out << now << '\n' << std::flush;
    said = now;
    std::this_thread::sleep_for(kAskEvery);
    auto next = client.GetRepair(repair.id);
    if (!next) return next;
    repair = std::move(*next);
  }
  return repair;
}

Status Repair(const Settings& settings, const RepairArguments& arguments) {
  admin::Client client(settings.admin);
  const std::string id = arguments.operation_id.empty() ? DrawId() : arguments.operation_id;
  auto repair = client.StartRepair(id, {arguments.partition});
  if (repair && arguments.wait) repair = WaitFor(settings, client, std::move(*repair));
  if (!repair) return Fail(repair.error());
  if (settings.json()) {
    *settings.out << boost::json::serialize(ToJson(*repair)) << '\n';
  } else {
    *settings.out << fmt::format("Repair {} {}\n", repair->id, Describe(*repair));
  }
  if (repair->state != "done" || (repair->exchanges_failed == 0 && repair->keys_failed == 0)) return {};
  return Fail(Errc::kUnavailable,
              "not everything could be compared and repaired: see the log of the node, ask again "
              "when all owners are up");
}

}  // namespace

void AddRepairCommand(CLI::App& app, const Settings* settings, std::function<Status()>* chosen) {
  const auto arguments = std::make_shared<RepairArguments>();
  CLI::App* repair = app.add_subcommand(
      "repair", "Reads what the node owns again, compares it with the other owners and makes all equal");
  repair->add_option("--partition", arguments->partition, "One partition; all that the node owns if not given")
      ->check(CLI::NonNegativeNumber);
  repair->add_flag("--wait", arguments->wait, "Until it has ended; say how far it has come");
  repair->add_option("--operation-id", arguments->operation_id, "The same id again is the same repair");
  repair->callback([=] { *chosen = [=] { return Repair(*settings, *arguments); }; });
}

}  // namespace dynamo::ctl
