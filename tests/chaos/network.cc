#include "tests/chaos/network.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "tests/chaos/command.h"

namespace dynamo::chaos {
namespace {

// In the namespace of a node.
Status ExecuteIn(size_t node, const std::string& line) {
  return Execute(fmt::format("ip netns exec {} {}", Network::NamespaceOf(node), line));
}

}  // namespace

bool HasNetem() {
  const bool has = Execute("tc qdisc add dev lo root netem delay 1ms").has_value();
  if (has) (void)Execute("tc qdisc del dev lo root");
  return has;
}

Network::~Network() {
  while (!disturbers_.empty()) (void)Unshape(disturbers_.begin()->first);
}

std::string Network::Address(size_t node) { return fmt::format("198.18.0.{}", node + 1); }
std::string Network::NamespaceOf(size_t node) { return fmt::format("node{}", node + 1); }

Status Network::Make(size_t nodes) {
  // Names of namespaces are mounts: these are seen here only.
  std::string script =
      "set -e\nmkdir -p /run/netns\nmount -t tmpfs netns /run/netns\n"
      "ip link set lo up\nip link add hub type bridge\nip address add 198.18.255.254/16 dev hub\nip link set hub up\n";
  for (size_t node = 0; node < nodes; ++node) {
    script += fmt::format(
        "ip netns add {0}\nip link add {0} type veth peer name eth0 netns {0}\nip link set {0} master hub up\n"
        "ip -n {0} link set lo up\nip -n {0} address add {1}/16 dev eth0\nip -n {0} link set eth0 up\n",
        NamespaceOf(node), Address(node));
  }
  return Execute(script);
}

Status Network::ForEach(const std::vector<Link>& links, const char* action) {
  for (const auto& [from, to] : links) {
    if (Status done = ExecuteIn(to, fmt::format("iptables -w {} INPUT -s {} -j DROP", action, Address(from))); !done) {
      return done;
    }
  }
  return {};
}

Status Network::Delay(size_t node, int64_t ms) { return Disturb(node, ms, 0); }
Status Network::Lose(size_t node, int64_t percent) { return Disturb(node, 0, percent); }

Status Network::Disturb(size_t node, int64_t delay_ms, int64_t loss_percent) {
  static const bool has_netem = HasNetem();
  if (has_netem) {
    return ExecuteIn(node, fmt::format("tc qdisc add dev eth0 root netem delay {0}ms {1}ms loss {2}%", delay_ms,
                                       delay_ms / 4, loss_percent));
  }
  // Not by `ip netns exec`, whose copy of all mounts would outlive a disk's unmount.
  const std::string place = "--net=/run/netns/" + NamespaceOf(node);
  const std::string delay = std::to_string(delay_ms), loss = std::to_string(loss_percent);
  const char* const argv[] = {"nsenter", place.c_str(), packets_.c_str(), delay.c_str(), loss.c_str(), nullptr};
  const pid_t pid = ::fork();
  if (pid < 0) return Fail(Errc::kInternal, "cannot start " + packets_);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execvp(argv[0], const_cast<char* const*>(argv));
    ::_exit(127);
  }
  disturbers_[node] = pid;
  // Until the program listens, and again when it has ended, packets pass.
  return ExecuteIn(node, "iptables -w -A OUTPUT -o eth0 -j NFQUEUE --queue-num 0 --queue-bypass");
}

Status Network::Limit(size_t node, int64_t kbit_per_s) {
  return ExecuteIn(node,
                   fmt::format("tc qdisc add dev eth0 root tbf rate {}kbit burst 16kb latency 300ms", kbit_per_s));
}

Status Network::Unshape(size_t node) {
  const auto disturber = disturbers_.find(node);
  if (disturber == disturbers_.end()) return ExecuteIn(node, "tc qdisc del dev eth0 root");
  const Status removed = ExecuteIn(node, "iptables -w -D OUTPUT -o eth0 -j NFQUEUE --queue-num 0 --queue-bypass");
  ::kill(disturber->second, SIGKILL);
  ::waitpid(disturber->second, nullptr, 0);
  disturbers_.erase(disturber);
  return removed;
}

}  // namespace dynamo::chaos
