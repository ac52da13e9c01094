// The encoding of a topology: what gossip spreads and the disk keeps.
#include <algorithm>
#include <limits>

#include "common/base/check.h"
#include "node/core/ring/topology.h"

namespace dynamo {
namespace {

constexpr uint8_t kWithoutOperations = 1;
constexpr uint8_t kWithOperations = 2;
constexpr size_t kHeaderBytes = 1 + 8;

void WriteMap(ByteWriter& out, const Topology& topology, const TokenMap& map) {
  out.Varint(map.partitions());
  for (NodeId owner : map.owners()) {
    const Member* member = topology.Find(owner);
    DYNAMO_CHECK(member != nullptr);
    out.Varint(static_cast<uint64_t>(member - topology.members.data()));
  }
}

void WriteMembers(ByteWriter& out, const std::vector<Member>& members) {
  out.Varint(members.size());
  for (const Member& member : members) {
    out.U64(member.id.value);
    out.String(member.name);
    out.String(member.zone);
    out.Varint(member.capacity);
    out.U8(static_cast<uint8_t>(member.state));
  }
}

void WriteKeysAndTypes(ByteWriter& out, const Topology& topology) {
  out.Varint(topology.context_keys.size());
  for (const ContextKey& key : topology.context_keys) {
    out.U32(key.id);
    out.String(key.secret);
    out.U8(key.signs ? 1 : 0);
  }
  out.Varint(topology.types.size());
  for (const auto& [name, type] : topology.types) {
    out.String(name);
    out.U8(static_cast<uint8_t>(type.policy));
    out.Varint(type.n_val);
    out.U8(static_cast<uint8_t>(type.durability));
  }
}

void WriteOperations(ByteWriter& out, const std::vector<TopologyOperation>& operations) {
  out.Varint(operations.size());
  for (const TopologyOperation& operation : operations) {
    out.String(operation.id);
    out.U64(operation.fingerprint);
    out.Varint(operation.epoch);
  }
}

// Reads an enumerator in [1, last], or makes the reader fail.
template <class Enum>
Enum ReadEnum(ByteReader& in, Enum last) {
  const uint8_t value = in.U8();
  if (value < 1 || value > static_cast<uint8_t>(last)) in.Invalidate();
  return static_cast<Enum>(value);
}

uint32_t ReadVarint32(ByteReader& in, uint32_t min) {
  const uint64_t value = in.Varint();
  if (value < min || value > std::numeric_limits<uint32_t>::max()) in.Invalidate();
  return static_cast<uint32_t>(value);
}

std::vector<NodeId> ReadVoters(ByteReader& in) {
  std::vector<NodeId> voters;
  for (size_t left = in.Count(8); left > 0 && in.ok(); --left) voters.push_back(NodeId{in.U64()});
  return voters;
}

std::vector<Member> ReadMembers(ByteReader& in) {
  std::vector<Member> members;
  for (size_t left = in.Count(8 + 1 + 1 + 1 + 1); left > 0 && in.ok(); --left) {
    Member member;
    member.id = NodeId{in.U64()};
    member.name = in.String();
    member.zone = in.String();
    member.capacity = ReadVarint32(in, 1);
    member.state = ReadEnum(in, MemberState::kReplaced);
    if (member.id <= (members.empty() ? NodeId{} : members.back().id)) in.Invalidate();
    members.push_back(std::move(member));
  }
  return members;
}

TokenMap ReadMap(ByteReader& in, const std::vector<Member>& members) {
  std::vector<NodeId> owners;
  for (size_t left = in.Count(1); left > 0 && in.ok(); --left) {
    const uint64_t index = in.Varint();
    if (index >= members.size()) {
      in.Invalidate();
    } else {
      owners.push_back(members[index].id);
    }
  }
  return TokenMap(std::move(owners));
}

std::vector<ContextKey> ReadContextKeys(ByteReader& in) {
  std::vector<ContextKey> keys;
  for (size_t left = in.Count(4 + 1 + 1); left > 0 && in.ok(); --left) {
    ContextKey key;
    key.id = in.U32();
    key.secret = in.String();
    const uint8_t signs = in.U8();
    key.signs = signs == 1;
    if (signs > 1 || (!keys.empty() && key.id <= keys.back().id)) in.Invalidate();
    keys.push_back(std::move(key));
  }
  return keys;
}

std::map<std::string, BucketType> ReadTypes(ByteReader& in) {
  std::map<std::string, BucketType> types;
  for (size_t left = in.Count(1 + 1 + 1 + 1); left > 0 && in.ok(); --left) {
    std::string name(in.String());
    BucketType type;
    type.policy = ReadEnum(in, ConflictPolicy::kLastWriterWins);
    type.n_val = ReadVarint32(in, 1);
    type.durability = ReadEnum(in, BucketType::Durability::kMemory);
    if (!types.empty() && name <= types.rbegin()->first) in.Invalidate();
    types.emplace_hint(types.end(), std::move(name), type);
  }
  return types;
}

std::vector<TopologyOperation> ReadOperations(ByteReader& in) {
  std::vector<TopologyOperation> operations;
  const size_t count = in.Count(1 + 8 + 1);
  if (count == 0 || count > TopologyOperation::kRemembered) in.Invalidate();
  for (size_t left = count; left > 0 && in.ok(); --left) {
    TopologyOperation operation;
    operation.id = in.String();
    operation.fingerprint = in.U64();
    operation.epoch = in.Varint();
    const bool named = !operation.id.empty() && operation.id.size() <= TopologyOperation::kIdBytesMax;
    if (!named || operation.epoch <= (operations.empty() ? 0 : operations.back().epoch)) in.Invalidate();
    operations.push_back(std::move(operation));
  }
  return operations;
}

bool VotersHold(const Topology& topology) {
  const std::vector<NodeId>& voters = topology.voters;
  if (voters.size() % 2 == 0 || voters.size() > kVotersMax) return false;
  if (std::adjacent_find(voters.begin(), voters.end(), std::greater_equal<>()) != voters.end()) return false;
  return std::all_of(voters.begin(), voters.end(), [&](NodeId voter) { return topology.Find(voter) != nullptr; });
}

bool InvariantsHold(const Topology& topology) {
  return topology.cluster && IsValidPartitionCount(topology.partitions) &&
         topology.current.partitions() == topology.partitions &&
         (topology.pending.empty() || topology.pending.partitions() == topology.partitions) && VotersHold(topology) &&
         std::ranges::any_of(topology.context_keys, &ContextKey::signs);
}

}  // namespace

Bytes EncodeTopology(const Topology& topology) {
  Bytes body;
  ByteWriter out(&body);
  out.Hash(topology.cluster.value);
  out.Varint(topology.version.generation);
  out.Varint(topology.version.epoch);
  out.Varint(topology.partitions);
  out.U64(topology.ring_seed);
  out.Varint(topology.voters.size());
  for (NodeId voter : topology.voters) out.U64(voter.value);
  WriteMembers(out, topology.members);
  WriteMap(out, topology, topology.current);
  WriteMap(out, topology, topology.pending);
  WriteKeysAndTypes(out, topology);
  if (!topology.operations.empty()) WriteOperations(out, topology.operations);

  Bytes encoded;
  ByteWriter whole(&encoded);
  whole.U8(topology.operations.empty() ? kWithoutOperations : kWithOperations);
  whole.U64(Checksum64(body));
  whole.Raw(body);
  return encoded;
}

Result<Topology> DecodeTopology(std::string_view encoded) {
  ByteReader in(encoded);
  const uint8_t version = in.U8();
  const uint64_t checksum = in.U64();
  if (!in.ok()) return Fail(Errc::kCorrupt, "topology is cut short");
  if (version != kWithoutOperations && version != kWithOperations) {
    return Fail(Errc::kCorrupt, "topology has format " + std::to_string(version) + ": this version reads 1 and 2");
  }
  if (checksum != Checksum64(encoded.substr(kHeaderBytes))) return Fail(Errc::kCorrupt, "topology fails its checksum");

  Topology topology;
  topology.cluster = ClusterId{in.Hash()};
  topology.version.generation = in.Varint();
  topology.version.epoch = in.Varint();
  topology.partitions = ReadVarint32(in, kPartitionsMin);
  topology.ring_seed = in.U64();
  topology.voters = ReadVoters(in);
  topology.members = ReadMembers(in);
  topology.current = ReadMap(in, topology.members);
  topology.pending = ReadMap(in, topology.members);
  topology.context_keys = ReadContextKeys(in);
  topology.types = ReadTypes(in);
  if (version == kWithOperations) topology.operations = ReadOperations(in);
  if (!in.at_end()) return Fail(Errc::kCorrupt, "topology is malformed");
  if (!InvariantsHold(topology))
    return Fail(Errc::kCorrupt, "topology breaks an invariant of its maps, voters or context keys");
  return topology;
}

}  // namespace dynamo
