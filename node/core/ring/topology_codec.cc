// The encoding of a topology: what gossip spreads and the disk keeps.
#include <algorithm>
#include <limits>

#include "common/base/check.h"
#include "node/core/ring/topology.h"

namespace dynamo {
namespace {

constexpr uint8_t kWithoutOperations = 1;
constexpr uint8_t kWithOperations = 2;
constexpr uint8_t kWithChange = 3;
constexpr uint8_t kWithLosses = 4;
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

uint8_t FormatOf(const Topology& topology) {
  const bool lost = std::ranges::find(topology.members, MemberState::kLost, &Member::state) != topology.members.end();
  if (lost || !topology.losses.empty()) return kWithLosses;
  const bool changes = !topology.pending.empty() || topology.change_since != 0;
  if (changes || std::ranges::any_of(topology.operations, &TopologyOperation::cancelled)) return kWithChange;
  return topology.operations.empty() ? kWithoutOperations : kWithOperations;
}

// Eight to a byte, the first in the lowest bit.
void WriteBits(ByteWriter& out, const std::vector<bool>& bits) {
  for (size_t first = 0; first < bits.size(); first += 8) {
    uint8_t byte = 0;
    for (size_t i = first; i < std::min(first + 8, bits.size()); ++i)
      byte |= static_cast<uint8_t>(bits[i] << (i - first));
    out.U8(byte);
  }
}

// What only format 3 has.
void WriteChange(ByteWriter& out, const Topology& topology) {
  out.Varint(topology.change_since);
  out.U8(topology.cancelling ? 1 : 0);
  WriteBits(out, topology.moved);
  std::vector<bool> cancelled;
  cancelled.reserve(topology.operations.size());
  for (const TopologyOperation& operation : topology.operations) cancelled.push_back(operation.cancelled);
  WriteBits(out, cancelled);
}

// What only format 4 has.
void WriteLosses(ByteWriter& out, const std::vector<LossRecord>& losses) {
  out.Varint(losses.size());
  for (const LossRecord& loss : losses) {
    out.U8(static_cast<uint8_t>(loss.kind));
    out.Varint(loss.version.generation);
    out.Varint(loss.version.epoch);
    out.Varint(loss.since);
    out.String(loss.operation_id);
    out.String(loss.by);
    out.Varint(loss.at_ms);
    out.Varint(loss.nodes.size());
    for (NodeId node : loss.nodes) out.U64(node.value);
    out.Varint(loss.partitions.size());
    for (uint32_t partition : loss.partitions) out.Varint(partition);
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
    member.state = ReadEnum(in, MemberState::kLost);
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
  if (count > TopologyOperation::kRemembered) in.Invalidate();
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

std::vector<bool> ReadBits(ByteReader& in, size_t count) {
  const std::string_view bytes = in.Raw((count + 7) / 8);
  if (!in.ok()) return {};
  std::vector<bool> bits;
  for (size_t i = 0; i < 8 * bytes.size(); ++i) {
    const bool bit = ((static_cast<uint8_t>(bytes[i / 8]) >> (i % 8)) & 1) != 0;
    if (i < count) bits.push_back(bit);
    if (i >= count && bit) in.Invalidate();
  }
  return bits;
}

void ReadChange(ByteReader& in, Topology* topology) {
  topology->change_since = in.Varint();
  const uint8_t cancelling = in.U8();
  topology->cancelling = cancelling == 1;
  if (cancelling > 1) in.Invalidate();
  topology->moved = ReadBits(in, topology->pending.partitions());
  const std::vector<bool> cancelled = ReadBits(in, topology->operations.size());
  for (size_t i = 0; i < cancelled.size(); ++i) topology->operations[i].cancelled = cancelled[i];
}

// Distinct, ascending, below `partitions`.
std::vector<uint32_t> ReadPartitions(ByteReader& in, uint32_t partitions) {
  std::vector<uint32_t> out;
  for (size_t left = in.Count(1); left > 0 && in.ok(); --left) {
    const uint32_t partition = ReadVarint32(in, out.empty() ? 0 : out.back() + 1);
    if (partition >= partitions) in.Invalidate();
    out.push_back(partition);
  }
  return out;
}

std::vector<LossRecord> ReadLosses(ByteReader& in, uint32_t partitions) {
  std::vector<LossRecord> losses;
  const size_t count = in.Count(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1);
  if (count > LossRecord::kRemembered) in.Invalidate();
  for (size_t left = count; left > 0 && in.ok(); --left) {
    LossRecord loss;
    loss.kind = ReadEnum(in, LossRecord::Kind::kAcceptedLoss);
    loss.version.generation = in.Varint();
    loss.version.epoch = in.Varint();
    loss.since = in.Varint();
    loss.operation_id = in.String();
    loss.by = in.String();
    loss.at_ms = in.Varint();
    for (size_t nodes = in.Count(8); nodes > 0 && in.ok(); --nodes) loss.nodes.push_back(NodeId{in.U64()});
    loss.partitions = ReadPartitions(in, partitions);
    const bool named = !loss.operation_id.empty() && loss.operation_id.size() <= TopologyOperation::kIdBytesMax;
    const bool rising = losses.empty() || losses.back().version < loss.version;
    if (!named || !rising || loss.by.size() > LossRecord::kByBytesMax) in.Invalidate();
    losses.push_back(std::move(loss));
  }
  return losses;
}

bool ChangeHolds(const Topology& topology) {
  if (topology.change_since > topology.version.epoch) return false;
  if (topology.cancelling && topology.change_since == 0) return false;
  if (topology.pending.empty()) return true;
  const bool all = std::ranges::find(topology.moved, false) == topology.moved.end();
  return topology.pending.partitions() == topology.partitions && topology.change_since > 0 &&
         topology.moved.size() == topology.partitions && !all;
}

bool VotersHold(const Topology& topology) {
  const std::vector<NodeId>& voters = topology.voters;
  if (voters.size() % 2 == 0 || voters.size() > kVotersMax) return false;
  if (std::adjacent_find(voters.begin(), voters.end(), std::greater_equal<>()) != voters.end()) return false;
  return std::all_of(voters.begin(), voters.end(), [&](NodeId voter) { return topology.Find(voter) != nullptr; });
}

bool InvariantsHold(const Topology& topology) {
  return topology.cluster && IsValidPartitionCount(topology.partitions) &&
         topology.current.partitions() == topology.partitions && ChangeHolds(topology) && VotersHold(topology) &&
         (topology.losses.empty() || topology.losses.back().version <= topology.version) &&
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
  const uint8_t format = FormatOf(topology);
  if (format != kWithoutOperations) WriteOperations(out, topology.operations);
  if (format >= kWithChange) WriteChange(out, topology);
  if (format == kWithLosses) WriteLosses(out, topology.losses);

  Bytes encoded;
  ByteWriter whole(&encoded);
  whole.U8(format);
  whole.U64(Checksum64(body));
  whole.Raw(body);
  return encoded;
}

Result<Topology> DecodeTopology(std::string_view encoded) {
  ByteReader in(encoded);
  const uint8_t version = in.U8();
  const uint64_t checksum = in.U64();
  if (!in.ok()) return Fail(Errc::kCorrupt, "topology is cut short");
  if (version < kWithoutOperations || version > kWithLosses) {
    return Fail(Errc::kCorrupt, "topology has format " + std::to_string(version) + ": this version reads 1 to 4");
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
  if (version >= kWithOperations) topology.operations = ReadOperations(in);
  if (version >= kWithChange) ReadChange(in, &topology);
  if (version == kWithLosses) topology.losses = ReadLosses(in, topology.partitions);
  // One value has one encoding.
  if (!in.at_end() || FormatOf(topology) != version) return Fail(Errc::kCorrupt, "topology is malformed");
  if (!InvariantsHold(topology))
    return Fail(Errc::kCorrupt, "topology breaks an invariant of its maps, voters or context keys");
  return topology;
}

}  // namespace dynamo
