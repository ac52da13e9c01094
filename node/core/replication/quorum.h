// Numbers of replicas: what a request asks for, resolved and checked, and the
// tally of what came back. Dynamo section 4.5.
#ifndef DYNAMO_NODE_CORE_REPLICATION_QUORUM_H_
#define DYNAMO_NODE_CORE_REPLICATION_QUORUM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace dynamo {

// A quorum as a client states it: a number, or a word that is resolved against N
// only when the request runs. Words are kept as words in bucket properties.
struct QuorumValue {
  enum class Kind : uint8_t { kDefault, kNumber, kOne, kQuorum, kAll };
  Kind kind = Kind::kDefault;
  uint32_t number = 0;

  static QuorumValue Number(uint32_t n) { return {Kind::kNumber, n}; }
  static QuorumValue One() { return {Kind::kOne, 0}; }
  static QuorumValue Quorum() { return {Kind::kQuorum, 0}; }
  static QuorumValue All() { return {Kind::kAll, 0}; }
  bool is_default() const { return kind == Kind::kDefault; }

  friend bool operator==(const QuorumValue&, const QuorumValue&) = default;
};

// 1, N/2+1, N, or the number itself; kDefault gives `fallback` resolved, and a
// quorum if that is kDefault too.
uint32_t Resolve(QuorumValue value, QuorumValue fallback, uint32_t n);

// The quorums of one read. `n` is the effective N.
struct ReadQuorum {
  uint32_t n = 3;
  uint32_t r = 2;
  uint32_t pr = 0;
  uint32_t node_confirms = 0;

  friend bool operator==(const ReadQuorum&, const ReadQuorum&) = default;
};

struct WriteQuorum {
  uint32_t n = 3;
  uint32_t w = 2;
  uint32_t pw = 0;
  uint32_t dw = 0;
  uint32_t node_confirms = 0;

  friend bool operator==(const WriteQuorum&, const WriteQuorum&) = default;
};

// R + W <= N is legal: it trades consistency for availability, as the paper
// allows. kInvalidArgument: n, r or w is 0, or any number exceeds n; the message
// then starts with Riak's "{n_val_violation,3}".
Status Validate(const ReadQuorum& quorum);
Status Validate(const WriteQuorum& quorum);
// "{n_val_violation,3}", and the N of the one that an error's message starts with.
std::string NValViolation(uint32_t n);
std::optional<uint32_t> ParseNValViolation(std::string_view message);

// Which requirement could not be met, for honest errors: {r, want 2, got 1}.
struct QuorumShortfall {
  enum class Which : uint8_t { kR, kPR, kW, kPW, kDW, kNodeConfirms };
  Which which = Which::kR;
  uint32_t want = 0;
  uint32_t got = 0;

  friend bool operator==(const QuorumShortfall&, const QuorumShortfall&) = default;
};
// "r", "pr", "w", "pw", "dw", "node_confirms".
std::string_view Name(QuorumShortfall::Which which);
// As Riak's Protocol Buffers door says it: "{w_val_unsatisfied,2,1}", want first.
std::string RiakTerm(const QuorumShortfall& shortfall);
// Reads the term that an error's message starts with.
std::optional<QuorumShortfall> ParseRiakTerm(std::string_view message);
// As Riak's HTTP door says it: "W-value unsatisfied: 1/2", got first.
std::string RiakSentence(const QuorumShortfall& shortfall);

// One number that must be reached, and how far it can still get.
struct QuorumRequirement {
  QuorumShortfall count;
  uint32_t reach = 0;
  bool met() const { return count.got >= count.want; }
  bool out_of_reach() const { return reach < count.want; }
};
// Once no further node will be asked, the first that is out of reach: it alone
// decides. Else the first that is not met; nullopt when all are.
std::optional<QuorumShortfall> FirstShortfall(std::span<const QuorumRequirement> requirements, bool closed);

enum class Verdict : uint8_t { kPending, kMet, kUnreachable };

// Counts what one write has reached, in distinct nodes: a node that holds two
// roles counts once (else one disk could ack a W of 2). Fed by the coordinator;
// says when the fate of the write is known. Replies after the verdict are still
// counted and never change it.
class WriteTally {
 public:
  explicit WriteTally(const WriteQuorum& quorum) : quorum_(quorum) {}

  // A replica was asked: exactly one of OnStored and OnFailed follows. A node is
  // asked at most once (a retry is another node), and none after NoMoreNodes.
  void OnAsked(bool primary);
  // The replica has it in its memtable; `durable`: synced.
  void OnStored(bool primary, bool durable);
  // It was stored before, and now it is synced too.
  void OnDurable();
  void OnFailed(bool primary);
  // No further node will be asked: what is out of reach now stays so.
  void NoMoreNodes() { closed_ = true; }

  Verdict verdict() const;
  // Of W, PW, DW, node_confirms the first that is out of reach, or else the first
  // that is not met; nullopt when all are.
  std::optional<QuorumShortfall> shortfall() const;
  uint32_t stored() const { return stored_; }

 private:
  std::array<QuorumRequirement, 4> Requirements() const;
  void Answered(bool primary);

  WriteQuorum quorum_;
  uint32_t pending_ = 0, pending_primary_ = 0;
  uint32_t stored_ = 0, stored_primary_ = 0, durable_ = 0;
  bool closed_ = false;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_REPLICATION_QUORUM_H_
