#include "operator/controller/machines.h"

#include <set>

namespace dynamo::op {
namespace {

using kube::Answer;
using kube::ArrayAt;
using kube::Object;
using kube::StringAt;
namespace json = kube::json;

constexpr char kHostname[] = "kubernetes.io/hostname";

// The hostnames that one term asks for; empty: it asks for none.
std::set<std::string> HostnamesOf(const Object& term) {
  std::set<std::string> names;
  for (const json::value& item : ArrayAt(term, "matchExpressions")) {
    const Object& expression = item.get_object();
    if (StringAt(expression, "key") != kHostname || StringAt(expression, "operator") != "In") continue;
    for (const json::value& value : ArrayAt(expression, "values")) {
      if (value.is_string()) names.insert(std::string(value.get_string()));
    }
  }
  return names;
}

void ReadState(const Object& node, MachineView* machine) {
  machine->state = MachineView::State::kAway;
  for (const json::value& item : ArrayAt(node, "status.conditions")) {
    const Object& condition = item.get_object();
    if (StringAt(condition, "type") != "Ready") continue;
    if (StringAt(condition, "status") == "True") machine->state = MachineView::State::kThere;
    machine->away_since = kube::ParseTime(StringAt(condition, "lastTransitionTime")).value_or(0);
  }
}

Answer<MachineView> MachineOfVolume(const kube::LiveReader& reader, const std::string& volume_name) {
  const auto volume = reader.Get(kube::PersistentVolumes(), "", volume_name);
  if (!volume) return tl::unexpected(volume.error());
  const std::string hostname = *volume ? MachineOf(**volume) : "";
  return hostname.empty() ? MachineView{} : FindMachine(reader, hostname);
}

}  // namespace

std::string MachineOf(const Object& volume) {
  std::set<std::string> all;
  for (const json::value& term : ArrayAt(volume, "spec.nodeAffinity.required.nodeSelectorTerms")) {
    const auto names = HostnamesOf(term.get_object());
    if (names.empty()) return "";
    all.insert(names.begin(), names.end());
  }
  return all.size() == 1 ? *all.begin() : "";
}

Answer<MachineView> FindMachine(const kube::LiveReader& reader, const std::string& hostname) {
  const auto nodes = reader.List(kube::Nodes(), "", std::string(kHostname) + "=" + hostname);
  if (!nodes) return tl::unexpected(nodes.error());
  MachineView machine;
  machine.name = hostname;
  machine.state = MachineView::State::kGone;
  for (const Object& node : nodes->items) {
    ReadState(node, &machine);
    if (machine.state == MachineView::State::kThere) break;
  }
  return machine;
}

Answer<bool> RunsOnMachine(const kube::LiveReader& reader, const Object& pod) {
  const std::string name = StringAt(pod, "spec.nodeName");
  if (name.empty()) return false;
  const auto node = reader.Get(kube::Nodes(), "", name);
  if (!node) return tl::unexpected(node.error());
  return node->has_value();
}

Answer<void> LookForMachines(const kube::LiveReader& reader, Observed* observed) {
  for (NodeView& node : observed->nodes) {
    if (!node.expected || node.identity || node.volume_name.empty()) continue;
    auto machine = MachineOfVolume(reader, node.volume_name);
    if (machine) {
      node.machine = std::move(*machine);
    } else if (machine.error().kind == kube::ApiError::Kind::kForbidden) {
      observed->machines_forbidden = machine.error().message;
    } else {
      return tl::unexpected(machine.error());
    }
  }
  return {};
}

}  // namespace dynamo::op
