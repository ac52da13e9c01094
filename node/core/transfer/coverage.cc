#include "node/core/transfer/coverage.h"

#include <algorithm>
#include <iterator>

namespace dynamo {
namespace {

bool Contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// In the order of `from`.
std::vector<NodeId> Without(const std::vector<NodeId>& from, const std::vector<NodeId>& others) {
  std::vector<NodeId> rest;
  std::copy_if(from.begin(), from.end(), std::back_inserter(rest),
               [&others](NodeId node) { return !Contains(others, node); });
  return rest;
}

// Nobody else can have what it has.
bool IsAlone(const OwnersChange& change, NodeId receiver, NodeId predecessor) {
  return predecessor && std::all_of(change.current.begin(), change.current.end(),
                                    [&](NodeId owner) { return owner == receiver || owner == predecessor; });
}

}  // namespace

std::vector<NodeId> ReceiversOf(const OwnersChange& change) { return Without(change.pending, change.current); }

NodeId PredecessorOf(const OwnersChange& change, NodeId receiver) {
  const std::vector<NodeId> come = ReceiversOf(change);
  const std::vector<NodeId> go = Without(change.current, change.pending);
  const auto place = static_cast<size_t>(std::find(come.begin(), come.end(), receiver) - come.begin());
  return place < go.size() ? go[place] : NodeId{};
}

std::vector<NodeId> DonorsOf(const OwnersChange& change, NodeId receiver, const std::function<bool(NodeId)>& is_up) {
  const NodeId predecessor = PredecessorOf(change, receiver);
  std::vector<NodeId> donors;
  if (predecessor && is_up(predecessor)) donors.push_back(predecessor);
  for (const NodeId owner : change.current) {
    if (owner != predecessor && owner != receiver && is_up(owner)) donors.push_back(owner);
  }
  return donors;
}

bool IsCovered(const OwnersChange& change, NodeId receiver, const std::set<NodeId>& compared,
               const std::function<bool(NodeId)>& is_up, const std::set<NodeId>& given_up) {
  const NodeId predecessor = PredecessorOf(change, receiver);
  const bool has_predecessor = predecessor && compared.contains(predecessor);
  if (IsAlone(change, receiver, predecessor) && !has_predecessor && !given_up.contains(predecessor)) return false;
  return std::all_of(change.current.begin(), change.current.end(), [&](NodeId owner) {
    if (owner == receiver || compared.contains(owner)) return true;
    return !is_up(owner) && (has_predecessor || owner == predecessor || given_up.contains(owner));
  });
}

std::vector<NodeId> WaitsFor(const OwnersChange& change, NodeId receiver, const std::function<bool(NodeId)>& is_up,
                             const std::set<NodeId>& given_up) {
  const NodeId predecessor = PredecessorOf(change, receiver);
  std::vector<NodeId> away;
  if (predecessor && is_up(predecessor)) return away;
  if (IsAlone(change, receiver, predecessor) && !given_up.contains(predecessor)) return {predecessor};
  std::copy_if(change.current.begin(), change.current.end(), std::back_inserter(away), [&](NodeId owner) {
    return owner != receiver && owner != predecessor && !is_up(owner) && !given_up.contains(owner);
  });
  return away;
}

}  // namespace dynamo
