#include "node/core/membership/member_table.h"

#include <limits>
#include <tuple>
#include <utility>

namespace dynamo {
namespace {

constexpr uint8_t kNodeInfoVersion = 1;
constexpr size_t kStringBytesMax = 255;

auto Rank(const NodeInfo& info) {
  return std::tie(info.incarnation, info.liveness, info.topology, info.id, info.name, info.zone, info.peer_address,
                  info.http_address, info.pb_address, info.admin_address, info.capacity, info.shards,
                  info.software_version, info.protocol_version);
}

bool IsForgedJump(uint64_t news, uint64_t known) {
  if (news == std::numeric_limits<uint64_t>::max()) return true;  // Nobody could outbid it.
  return news > known && news - known > MemberTable::kIncarnationJumpMax;
}

std::string ReadString(ByteReader& in) {
  const std::string_view text = in.String();
  if (text.size() > kStringBytesMax) in.Invalidate();
  return std::string(text.substr(0, kStringBytesMax));
}

uint32_t ReadU32AtLeastOne(ByteReader& in) {
  const uint32_t value = in.U32();
  if (value == 0) in.Invalidate();
  return value;
}

Liveness ReadLiveness(ByteReader& in) {
  const uint8_t value = in.U8();
  if (value < static_cast<uint8_t>(Liveness::kAlive) || value > static_cast<uint8_t>(Liveness::kDead)) {
    in.Invalidate();
    return Liveness::kAlive;
  }
  return static_cast<Liveness>(value);
}

}  // namespace

std::strong_ordering Precedence(const NodeInfo& left, const NodeInfo& right) { return Rank(left) <=> Rank(right); }

MemberTable::MemberTable(NodeInfo self) : self_(std::move(self)) { Rehash(self_); }

const NodeInfo* MemberTable::Find(NodeId id) const {
  if (id == self_.id) return &self_;
  const auto found = others_.find(id);
  return found == others_.end() ? nullptr : &found->second;
}

std::vector<NodeInfo> MemberTable::All() const {
  std::vector<NodeInfo> all;
  all.reserve(size());
  for (const auto& [id, info] : others_) {
    if (self_.id < id && (all.empty() || all.back().id < self_.id)) all.push_back(self_);
    all.push_back(info);
  }
  if (all.size() < size()) all.push_back(self_);
  return all;
}

MemberTable::Outcome MemberTable::Hear(const NodeInfo& rumour) {
  if (rumour.id == self_.id) return HearOfSelf(rumour);
  const auto known = others_.find(rumour.id);
  if (known == others_.end()) {
    if (IsForgedJump(rumour.incarnation, 0)) return Outcome::kForged;
    if (size() >= kNodesMax) return Outcome::kIgnored;
    others_.emplace(rumour.id, rumour);
  } else {
    if (IsForgedJump(rumour.incarnation, known->second.incarnation)) return Outcome::kForged;
    if (Precedence(rumour, known->second) <= 0) return Outcome::kIgnored;
    known->second = rumour;
  }
  Rehash(rumour);
  return Outcome::kUpdated;
}

// Peers keep what wins, so only a higher incarnation of our own can clear it.
MemberTable::Outcome MemberTable::HearOfSelf(const NodeInfo& rumour) {
  if (IsForgedJump(rumour.incarnation, self_.incarnation)) return Outcome::kForged;
  if (Precedence(rumour, self_) <= 0) return Outcome::kIgnored;
  self_.incarnation = rumour.incarnation + 1;
  Rehash(self_);
  return Outcome::kRefute;
}

bool MemberTable::Declare(NodeId id, Liveness liveness) {
  const auto known = others_.find(id);
  if (known == others_.end() || liveness <= known->second.liveness) return false;
  known->second.liveness = liveness;
  Rehash(known->second);
  return true;
}

void MemberTable::Forget(NodeId id) {
  if (others_.erase(id) > 0) Unhash(id);
}

void MemberTable::SetTopology(const TopologyVersion& version) {
  self_.topology = version;
  Rehash(self_);
}

void MemberTable::Rehash(const NodeInfo& info) {
  Bytes encoded;
  ByteWriter out(&encoded);
  EncodeNodeInfo(info, out);
  Unhash(info.id);
  const Hash128 hash = HashOf(encoded);
  hashes_.emplace(info.id, hash);
  hash_.high += hash.high;
  hash_.low += hash.low;
}

void MemberTable::Unhash(NodeId id) {
  const auto found = hashes_.find(id);
  if (found == hashes_.end()) return;
  hash_.high -= found->second.high;
  hash_.low -= found->second.low;
  hashes_.erase(found);
}

std::vector<MemberTable::Fingerprint> MemberTable::Fingerprints() const {
  std::vector<Fingerprint> all;
  all.reserve(hashes_.size());
  for (const auto& [id, hash] : hashes_) all.push_back({id, hash.low});
  return all;
}

MemberTable::Difference MemberTable::Compare(const std::vector<Fingerprint>& theirs) const {
  Difference difference;
  auto ours = hashes_.begin();
  for (const Fingerprint& theirs_one : theirs) {
    for (; ours != hashes_.end() && ours->first < theirs_one.id; ++ours) difference.differ.push_back(ours->first);
    if (ours == hashes_.end() || theirs_one.id < ours->first) {
      difference.missing.push_back(theirs_one.id);
      continue;
    }
    if (ours->second.low != theirs_one.hash) difference.differ.push_back(ours->first);
    ++ours;
  }
  for (; ours != hashes_.end(); ++ours) difference.differ.push_back(ours->first);
  return difference;
}

Bytes EncodeFingerprints(const std::vector<MemberTable::Fingerprint>& fingerprints) {
  Bytes encoded;
  ByteWriter out(&encoded);
  for (const MemberTable::Fingerprint& fingerprint : fingerprints) {
    out.U64(fingerprint.id.value);
    out.U64(fingerprint.hash);
  }
  return encoded;
}

std::optional<std::vector<MemberTable::Fingerprint>> DecodeFingerprints(std::string_view encoded) {
  constexpr size_t kBytesEach = 16;
  if (encoded.size() % kBytesEach != 0 || encoded.size() / kBytesEach > MemberTable::kNodesMax) return std::nullopt;
  std::vector<MemberTable::Fingerprint> fingerprints;
  fingerprints.reserve(encoded.size() / kBytesEach);
  ByteReader in(encoded);
  while (!in.at_end()) {
    const NodeId id{in.U64()};
    if (!fingerprints.empty() && id <= fingerprints.back().id) return std::nullopt;
    fingerprints.push_back({id, in.U64()});
  }
  return fingerprints;
}

void EncodeNodeInfo(const NodeInfo& info, ByteWriter& out) {
  out.U8(kNodeInfoVersion);
  out.U64(info.id.value);
  out.String(info.name);
  out.String(info.zone);
  out.String(info.peer_address);
  out.String(info.http_address);
  out.String(info.pb_address);
  out.String(info.admin_address);
  out.U32(info.capacity);
  out.U32(info.shards);
  out.String(info.software_version);
  out.U32(info.protocol_version);
  out.U64(info.incarnation);
  out.U8(static_cast<uint8_t>(info.liveness));
  out.U64(info.topology.generation);
  out.U64(info.topology.epoch);
}

NodeInfo DecodeNodeInfo(ByteReader& in) {
  if (in.U8() != kNodeInfoVersion) in.Invalidate();
  NodeInfo info;
  info.id.value = in.U64();
  if (!info.id) in.Invalidate();
  info.name = ReadString(in);
  info.zone = ReadString(in);
  info.peer_address = ReadString(in);
  info.http_address = ReadString(in);
  info.pb_address = ReadString(in);
  info.admin_address = ReadString(in);
  info.capacity = ReadU32AtLeastOne(in);
  info.shards = ReadU32AtLeastOne(in);
  info.software_version = ReadString(in);
  info.protocol_version = in.U32();
  info.incarnation = in.U64();
  info.liveness = ReadLiveness(in);
  info.topology.generation = in.U64();
  info.topology.epoch = in.U64();
  return info;
}

}  // namespace dynamo
