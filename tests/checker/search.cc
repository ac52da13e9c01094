#include "tests/checker/search.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "common/base/check.h"
#include "common/base/hash.h"

namespace dynamo::checker {
namespace {

Hash128 HashOfState(const State& state) {
  return HashOf(std::string_view(reinterpret_cast<const char*>(&state), sizeof state));
}

// The states that were met, by hash, each with the one it was met from.
class Met {
 public:
  Met() : slots_(size_t{1} << 16) {}

  // False: it is known already.
  bool Add(const Hash128& hash, uint32_t from) {
    if (2 * hashes_.size() >= slots_.size()) Grow();
    uint32_t& slot = Slot(hash);
    if (slot != 0) return false;
    hashes_.push_back(hash);
    from_.push_back(from);
    slot = static_cast<uint32_t>(hashes_.size());
    return true;
  }
  uint32_t size() const { return static_cast<uint32_t>(hashes_.size()); }
  // From the first state to this one.
  std::vector<Hash128> PathTo(uint32_t state) const {
    std::vector<Hash128> path{hashes_[state]};
    while (state != 0) path.push_back(hashes_[state = from_[state]]);
    std::ranges::reverse(path);
    return path;
  }

 private:
  uint32_t& Slot(const Hash128& hash) {
    size_t at = hash.low & (slots_.size() - 1);
    while (slots_[at] != 0 && hashes_[slots_[at] - 1] != hash) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void Grow() {
    slots_.assign(2 * slots_.size(), 0);
    for (uint32_t i = 0; i < hashes_.size(); ++i) Slot(hashes_[i]) = i + 1;
  }

  std::vector<Hash128> hashes_;
  std::vector<uint32_t> from_;
  std::vector<uint32_t> slots_;  // Number of the state + 1; 0: free.
};

// Walks the path again, in words: names stay what they are from step to step.
std::vector<std::string> Retell(const std::vector<Hash128>& path, const Canonical& canonical, Model* model) {
  std::vector<std::string> told;
  std::vector<Step> steps;
  State state = model->Initial();
  for (size_t i = 1; i < path.size(); ++i) {
    model->Steps(state, /*with_text=*/true, &steps);
    const auto taken = std::ranges::find_if(steps, [&](const Step& step) {
      State next = step.next;
      canonical.Apply(&next);
      return HashOfState(next) == path[i];
    });
    DYNAMO_CHECK(taken != steps.end());
    told.push_back(taken->text);
    state = taken->next;
  }
  return told;
}

struct Reached {
  State state;
  uint32_t number;
};

}  // namespace

Outcome Search(const Scope& scope, Rules rules, size_t states_max, bool symmetry) {
  const auto began = std::chrono::steady_clock::now();
  Model model(scope, rules);
  const Canonical canonical(scope, symmetry);
  Met met;
  Outcome outcome;
  std::vector<Reached> now, next;
  std::vector<Step> steps;
  State first = model.Initial();
  canonical.Apply(&first);
  met.Add(HashOfState(first), 0);
  next.push_back({first, 0});
  for (outcome.depth = 0; !next.empty() && outcome.broken == Property::kNone && met.size() < states_max;
       ++outcome.depth) {
    now.swap(next);
    next.clear();
    for (const Reached& reached : now) {
      model.Steps(reached.state, /*with_text=*/false, &steps);
      outcome.transitions += steps.size();
      for (Step& step : steps) {
        canonical.Apply(&step.next);
        if (!met.Add(HashOfState(step.next), reached.number)) continue;
        next.push_back({step.next, met.size() - 1});
        outcome.broken = model.Check(step.next);
        if (outcome.broken != Property::kNone) break;
      }
      if (outcome.broken != Property::kNone || met.size() >= states_max) break;
    }
  }
  outcome.states = met.size();
  outcome.whole = next.empty();
  if (outcome.broken != Property::kNone) outcome.steps = Retell(met.PathTo(met.size() - 1), canonical, &model);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return outcome;
}

}  // namespace dynamo::checker
