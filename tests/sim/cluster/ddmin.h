// Delta debugging: makes a list that fails small (Zeller and Hildebrandt 2002).
#ifndef DYNAMO_TESTS_SIM_CLUSTER_DDMIN_H_
#define DYNAMO_TESTS_SIM_CLUSTER_DDMIN_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace dynamo::sim {

// The smallest part of `items` found, in their order, for which `fails` still holds;
// it holds for all of them. It may say no to save time: then the rest stays.
template <class T>
std::vector<T> Minimize(std::vector<T> items, const std::function<bool(const std::vector<T>&)>& fails) {
  for (size_t parts = 1; !items.empty();) {
    const size_t size = (items.size() + parts - 1) / parts;
    bool smaller = false;
    for (size_t begin = 0; begin < items.size();) {
      const auto from = items.begin() + static_cast<ptrdiff_t>(begin);
      const auto to = items.begin() + static_cast<ptrdiff_t>(std::min(begin + size, items.size()));
      std::vector<T> rest(items.begin(), from);
      rest.insert(rest.end(), to, items.end());
      if (fails(rest)) {
        items = std::move(rest);
        smaller = true;
      } else {
        begin += size;
      }
    }
    if (size == 1 && !smaller) break;
    parts = std::min(parts * 2, std::max<size_t>(items.size(), 1));
  }
  return items;
}

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_DDMIN_H_
