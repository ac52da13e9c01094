#include "tests/oracle/causality.h"

namespace dynamo::oracle {
namespace {

// May `later` supersede `earlier` without its client knowing?
bool MayHaveMet(const WriteRecord& later, const WriteRecord& earlier) {
  if (!earlier.may_be_in_effect()) return false;
  if (later.context.tombstone && earlier.is_delete && earlier.begun < later.begun) return true;
  if (!later.of_what_is_found) return false;
  // One of unknown fate may still run, long after its client has given up.
  return later.outcome == Outcome::kUnknown || earlier.begun < later.ended;
}

}  // namespace

Causality::Causality(const History& history, const std::string& key)
    : writes_(history.WritesTo(key)), sure_(writes_.size()), possible_(writes_.size()) {
  for (size_t i = 0; i < writes_.size(); ++i) places_[writes_[i]->id] = i;
  for (size_t i = 0; i < writes_.size(); ++i) {
    const WriteRecord& write = *writes_[i];
    for (const WriteId id : write.context.ids) {
      const auto place = places_.find(id);
      // What is of another key is an invention, reported where it was read.
      if (place == places_.end()) continue;
      sure_.Add(i, place->second);
      possible_.Add(i, place->second);
    }
    if (!write.context.tombstone && !write.of_what_is_found) continue;
    for (size_t other = 0; other < writes_.size(); ++other) {
      if (other != i && MayHaveMet(write, *writes_[other])) possible_.Add(i, other);
    }
  }
  sure_.Close();
  possible_.Close();
}

void Causality::Relation::Add(size_t later, size_t earlier) {
  if (Has(later, earlier)) return;
  bits_[later * words_ + earlier / 64] |= uint64_t{1} << earlier % 64;
  direct_[later].push_back(earlier);
}

bool Causality::Relation::Include(size_t later, size_t earlier) {
  bool news = false;
  for (size_t word = 0; word < words_; ++word) {
    uint64_t& mine = bits_[later * words_ + word];
    const uint64_t both = mine | bits_[earlier * words_ + word];
    news |= both != mine;
    mine = both;
  }
  return news;
}

// Contexts point back, so that one pass does nearly all; only deletes that may run
// late point forward, and make circles.
void Causality::Relation::Close() {
  for (bool news = true; news;) {
    news = false;
    for (size_t later = 0; later < direct_.size(); ++later) {
      for (const size_t earlier : direct_[later]) news |= Include(later, earlier);
    }
  }
}

bool Causality::Contains(const Relation& relation, WriteId earlier, WriteId later) const {
  const auto of = places_.find(later), member = places_.find(earlier);
  return earlier != later && of != places_.end() && member != places_.end() && relation.Has(of->second, member->second);
}

}  // namespace dynamo::oracle
