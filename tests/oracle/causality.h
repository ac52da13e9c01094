// Who came before whom, as far as clients can know: the causal histories of the
// writes to one key.
#ifndef DYNAMO_TESTS_ORACLE_CAUSALITY_H_
#define DYNAMO_TESTS_ORACLE_CAUSALITY_H_

#include <cstdint>
#include <map>
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
  // For each write the writes before it, as bits.
  class Relation {
   public:
    explicit Relation(size_t size) : words_((size + 63) / 64), bits_(words_ * size), direct_(size) {}
    void Add(size_t later, size_t earlier);
    bool Has(size_t later, size_t earlier) const { return bits_[later * words_ + earlier / 64] >> earlier % 64 & 1; }
    // What comes before the earlier comes before the later.
    void Close();

   private:
    // Adds all that is before `earlier`; whether that was news.
    bool Include(size_t later, size_t earlier);

    size_t words_;
    std::vector<uint64_t> bits_;
    std::vector<std::vector<size_t>> direct_;
  };
  bool Contains(const Relation& relation, WriteId earlier, WriteId later) const;

  std::vector<const WriteRecord*> writes_;
  std::map<WriteId, size_t> places_;  // In `writes_`.
  Relation sure_, possible_;
};

}  // namespace dynamo::oracle

#endif  // DYNAMO_TESTS_ORACLE_CAUSALITY_H_
