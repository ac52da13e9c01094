// Encoded objects by number, and the functions of the store over them: each is
// called once for each different question, and its answer remembered.
#ifndef DYNAMO_TESTS_CHECKER_OBJECTS_H_
#define DYNAMO_TESTS_CHECKER_OBJECTS_H_

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/core/replication/hint.h"
#include "node/core/replication/quorum.h"
#include "node/core/version/context.h"
#include "node/core/version/object.h"
#include "tests/checker/state.h"

namespace dynamo::checker {

// One node's part in a read.
struct ReadPart {
  NodeNo node;
  bool primary;
  bool authoritative;
  bool answers;
  ObjectNo object;
};
struct ReadOutcome {
  bool met = false;
  bool met_by_owners = false;  // Also with PR = R.
  ObjectNo joined = 0;
  std::vector<NodeNo> behind;
};

class Objects {
 public:
  explicit Objects(int n);

  ObjectNo Join(ObjectNo a, ObjectNo b);
  // What a replica holds after it was sent `incoming`: by headers alone where these
  // tell, as with the clock cache, and by reading and joining, which must agree.
  ObjectNo Receive(ObjectNo known, ObjectNo incoming);
  // The write's number is its time and its content.
  ObjectNo Mint(ObjectNo before, ObjectNo context, uint8_t actor, WriteNo write, bool tombstone);
  // As AdmitHint among the hints of one owner; `superseded` is a mask of places.
  struct Admission {
    bool needed = true;
    uint8_t superseded = 0;
  };
  const Admission& Admit(ObjectNo object, const std::vector<ObjectNo>& existing);
  bool IsDelivered(NodeNo owner, ObjectNo sent, NodeNo hint_owner, ObjectNo hint) const;
  const ReadOutcome& Read(const std::vector<ReadPart>& parts);

  // The writes that are siblings in it.
  uint8_t live(ObjectNo object) const { return known_[object].live; }
  // Every sibling's content is that of its write.
  bool sound(ObjectNo object) const { return known_[object].sound; }
  uint8_t Counter(ObjectNo object, uint8_t actor) const;
  std::string Text(ObjectNo object) const;
  size_t size() const { return known_.size(); }

 private:
  struct Known {
    Bytes encoded;
    Object object;
    Hash128 digest;
    CausalContext context;  // As a client hands it back.
    uint8_t live = 0;
    bool sound = true;
  };
  ObjectNo Number(Bytes encoded);
  Hint HintOf(NodeNo owner, ObjectNo object) const;
  ReadOutcome Reconcile(const std::vector<ReadPart>& parts, uint32_t pr) const;

  uint32_t n_;
  ContextSigner signer_;
  std::vector<Known> known_;
  std::map<Bytes, ObjectNo> numbers_;
  std::unordered_map<uint32_t, ObjectNo> joins_, received_;
  std::map<std::array<uint16_t, 5>, ObjectNo> minted_;
  std::map<std::pair<ObjectNo, std::vector<ObjectNo>>, Admission> admissions_;
  std::unordered_map<Hash128, ReadOutcome> reads_;
};

}  // namespace dynamo::checker

#endif  // DYNAMO_TESTS_CHECKER_OBJECTS_H_
