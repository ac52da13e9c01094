#include "node/core/membership/rumours.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace dynamo {

void RumourQueue::Add(NodeInfo rumour) {
  const NodeId id = rumour.id;
  rumours_.insert_or_assign(id, Entry{std::move(rumour), 0});
}

std::vector<NodeInfo> RumourQueue::Take(size_t max, size_t members) {
  std::vector<Entry*> order;
  order.reserve(rumours_.size());
  for (auto& [id, entry] : rumours_) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->taken, a->info.id) < std::pair(b->taken, b->info.id);
  });
  order.resize(std::min(order.size(), max));

  std::vector<NodeInfo> taken;
  taken.reserve(order.size());
  for (Entry* entry : order) {
    ++entry->taken;
    taken.push_back(entry->info);
  }
  const auto limit = static_cast<uint32_t>(3 * std::bit_width(std::max<size_t>(members, 1)));
  std::erase_if(rumours_, [limit](const auto& item) { return item.second.taken >= limit; });
  return taken;
}

}  // namespace dynamo
