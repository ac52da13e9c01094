// Gossip from whoever speaks to the peer port, merged into a member table: what is
// taken in is canonical and bounded, in whatever order it comes, and no word about
// this node is the last.
#include <algorithm>
#include <vector>

#include "node/core/membership/member_table.h"
#include "node/protocol/messages.h"
#include "tests/fuzz/codec.h"

namespace {

using namespace dynamo;

NodeInfo Self() {
  NodeInfo self;
  self.id = NodeId{1};
  self.name = "node-1";
  self.incarnation = uint64_t{1} << 32;
  return self;
}

// The rumours that decode; each is canonical.
std::vector<NodeInfo> RumoursOf(const peer::Request& request) {
  std::vector<NodeInfo> rumours;
  const auto take = [&rumours](const auto& list) {
    for (const std::string& bytes : list) {
      ByteReader in(bytes);
      NodeInfo info = DecodeNodeInfo(in);
      if (!in.at_end()) continue;
      Bytes encoded;
      ByteWriter out(&encoded);
      EncodeNodeInfo(info, out);
      DYNAMO_CHECK(encoded == bytes);
      rumours.push_back(std::move(info));
    }
  };
  take(request.gossip().members());
  take(request.ping().rumours());
  take(request.ping_request().rumours());
  take(request.offer_topology().members());
  return rumours;
}

MemberTable Merged(const std::vector<NodeInfo>& rumours) {
  MemberTable table(Self());
  for (const NodeInfo& rumour : rumours) {
    const NodeInfo self = table.self();
    const Hash128 before = table.hash();
    const MemberTable::Outcome outcome = table.Hear(rumour);
    const bool changed = outcome == MemberTable::Outcome::kUpdated || outcome == MemberTable::Outcome::kRefute;
    DYNAMO_CHECK(changed == (table.hash() != before));
    DYNAMO_CHECK(table.self().liveness == Liveness::kAlive && table.self().incarnation >= self.incarnation);
    if (rumour.id == self.id && outcome != MemberTable::Outcome::kForged) {
      DYNAMO_CHECK(Precedence(rumour, table.self()) <= 0);
    }
  }
  DYNAMO_CHECK(table.size() <= MemberTable::kNodesMax);
  return table;
}

}  // namespace

// The input is the body of a request; where it is gossip, its properties are also
// taken for the fingerprints that an answer carries.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto request = ParseRequest(AsBytes(data, size));
  if (!request) return 0;
  std::vector<NodeInfo> rumours = RumoursOf(*request);
  MemberTable table = Merged(rumours);
  for (const NodeInfo& rumour : rumours) {
    // Twice is once; only what was out of bounds when it came may be news now.
    if (table.Find(rumour.id) != nullptr) table.Hear(rumour);
  }
  const Hash128 settled = table.hash();
  for (const NodeInfo& rumour : rumours) {
    if (table.Find(rumour.id) != nullptr && table.Hear(rumour) == MemberTable::Outcome::kIgnored) {
      DYNAMO_CHECK(table.hash() == settled);
    }
  }

  // Fingerprints tell tables apart, those of a real one and those of a liar.
  std::reverse(rumours.begin(), rumours.end());
  MemberTable other = Merged(rumours);
  const auto fingerprints = DecodeFingerprints(EncodeFingerprints(other.Fingerprints()));
  DYNAMO_CHECK(fingerprints == other.Fingerprints());
  const MemberTable::Difference difference = table.Compare(*fingerprints);
  for (const NodeId id : difference.differ) DYNAMO_CHECK(table.Find(id) != nullptr);
  for (const NodeId id : difference.missing) DYNAMO_CHECK(table.Find(id) == nullptr && other.Find(id) != nullptr);
  if (const auto claimed = DecodeFingerprints(request->gossip().properties())) {
    DYNAMO_CHECK(EncodeFingerprints(*claimed) == request->gossip().properties());
    const MemberTable::Difference claims = table.Compare(*claimed);
    DYNAMO_CHECK(claims.differ.size() <= table.size() && claims.missing.size() <= claimed->size());
  }
  return 0;
}
