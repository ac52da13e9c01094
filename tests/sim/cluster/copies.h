// What one disk holds of one key, as far as judging needs it: which writes, under
// which clock.
#ifndef DYNAMO_TESTS_SIM_CLUSTER_COPIES_H_
#define DYNAMO_TESTS_SIM_CLUSTER_COPIES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/ids.h"
#include "node/core/version/object.h"
#include "node/env/storage.h"
#include "tests/oracle/value.h"

namespace dynamo::sim {

// An object without its values: of each sibling the dot, and the write that its
// value names. Zero: a tombstone, or no value of the oracle's.
struct Summary {
  ObjectHeader header;
  std::vector<std::pair<Dot, oracle::WriteId>> siblings;  // Sorted by dot.

  bool Has(const Dot& dot, oracle::WriteId id) const;
};
using SummaryPtr = std::shared_ptr<const Summary>;

// Makes each summary once: the same object comes to many disks.
class Summaries {
 public:
  // nullptr: it does not decode.
  SummaryPtr Of(std::string_view object);

 private:
  std::map<Hash128, SummaryPtr> known_;
};

struct Copy {
  SummaryPtr summary;
  NodeId hint_for;  // None: the replica itself.
};

// By the entry's family and key.
using Copies = std::map<std::pair<ColumnFamily, Bytes>, Copy>;

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_CLUSTER_COPIES_H_
