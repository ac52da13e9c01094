#include "tests/chaos/preflight.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>

#include "tests/chaos/clocks.h"
#include "tests/chaos/command.h"
#include "tests/chaos/disk.h"
#include "tests/chaos/network.h"

namespace dynamo::chaos {
namespace {

constexpr uint64_t kTryBytes = uint64_t{16} << 20;

Status TryNetwork() {
  return Execute(
      "set -e; unshare --net true; ip link add try type bridge; ip link del try\n"
      "ip link add try type veth peer name try2; ip link del try\n"
      "iptables -w -A INPUT -s 198.18.255.1 -j DROP; iptables -w -D INPUT -s 198.18.255.1 -j DROP");
}

Status TryPackets() {
  if (HasNetem()) return {};
  return Execute(
      "set -e; iptables -w -A OUTPUT -d 198.18.255.1 -j NFQUEUE --queue-num 9 --queue-bypass\n"
      "iptables -w -D OUTPUT -d 198.18.255.1 -j NFQUEUE --queue-num 9 --queue-bypass");
}

Status TryRate() {
  return Execute("tc qdisc add dev lo root tbf rate 1mbit burst 16kb latency 100ms && tc qdisc del dev lo root");
}

Status TryDisk(const std::string& folder) {
  Disk disk(folder + "/try.img", folder + "/try");
  if (Status made = disk.Make(kTryBytes); !made) return made;
  if (Status mounted = disk.Mount(); !mounted) return mounted;
  Status cut = disk.CutPower();
  if (Status unmounted = disk.Unmount(); !unmounted) return unmounted;
  (void)Execute(fmt::format("rm -rf {0}/try.img {0}/try", folder));
  return cut;
}

std::string Names(const std::set<Kind>& kinds) {
  std::string names;
  for (const Kind kind : kinds) names += fmt::format("{}{}", names.empty() ? "" : ", ", Name(kind));
  return names;
}

}  // namespace

Machine Inspect(const Tools& tools, const std::string& folder) {
  Machine machine;
  const auto offer = [&machine](const std::set<Kind>& kinds, const Status& works) {
    if (works) {
      machine.kinds.insert(kinds.begin(), kinds.end());
    } else {
      machine.lacking.emplace_back(Names(kinds), works.error().message);
    }
    return works.has_value();
  };
  offer({Kind::kKill, Kind::kStop, Kind::kSstFlip, Kind::kWalFlip, Kind::kLeave, Kind::kCapacity, Kind::kReplace}, {});
  offer({Kind::kHalves, Kind::kAlone, Kind::kOneWay, Kind::kBridge}, TryNetwork());
  offer({Kind::kDelay, Kind::kLoss}, TryPackets());
  offer({Kind::kRate}, TryRate());
  machine.has_disks = offer({Kind::kDiskFull, Kind::kPowerLoss}, TryDisk(folder));
  offer({Kind::kClock}, Clocks(tools.clock, folder).Try());
  return machine;
}

std::string WhyNoRun(const Machine& machine) {
  const bool has_all = std::ranges::all_of(std::set{Kind::kKill, Kind::kStop, Kind::kHalves},
                                           [&machine](Kind kind) { return machine.kinds.contains(kind); });
  return has_all ? "" : "kill, stop and partitions are the least: chaos needs root, `ip netns` and iptables";
}

std::string Describe(const Machine& machine) {
  utsname system = {};
  ::uname(&system);
  std::string text =
      fmt::format("Pre-flight, Linux {}. Faults that can be done here: {}.\n", system.release, Names(machine.kinds));
  for (const auto& [kinds, why] : machine.lacking) text += fmt::format("LEFT OUT: {}: {}\n", kinds, why);
  return text;
}

}  // namespace dynamo::chaos
