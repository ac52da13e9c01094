// Who came before whom, as far as clients can know: the causal histories of the
// writes to one key.
#ifndef DYNAMO_TESTS_ORACLE_CAUSALITY_H_
#define DYNAMO_TESTS_ORACLE_CAUSALITY_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/history.h"

namespace dynamo::oracle {

// A client that saw a delete, or deleted without looking, doesn't know what that
// covers. So there are two bounds: accuse by what surely came before, excuse by
// what may have.
class Causality {
 public:
  Causality(const History& history, const std::string& key);

  const std::vector<const WriteRecord*>& writes() const { return writes_; }
  // A write never comes before itself.
  bool SurelyBefore(WriteId earlier, WriteId later) const { return Contains(sure_, earlier, later); }
  bool MaybeBefore(WriteId earlier, WriteId later) const { return Contains(possible_, earlier, later); }

 private:
  using Histories = std::map<WriteId, std::set<WriteId>>;
  static bool Contains(const Histories& histories, WriteId earlier, WriteId later);
  static Histories Close(const Histories& direct);

  std::vector<const WriteRecord*> writes_;
  Histories sure_, possible_;
};

}  // namespace dynamo::oracle

#endif  // DYNAMO_TESTS_ORACLE_CAUSALITY_H_
