#include "node/service/bucket_table.h"

#include <array>
#include <tuple>

#include "common/base/bytes.h"

namespace dynamo {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kOverrideBytesMin = 4;

using QuorumField = std::optional<QuorumValue> BucketPropertiesChange::*;
using FlagField = std::optional<bool> BucketPropertiesChange::*;
constexpr std::array<QuorumField, 7> kQuorumFields = {&BucketPropertiesChange::r,
                                                      &BucketPropertiesChange::w,
                                                      &BucketPropertiesChange::dw,
                                                      &BucketPropertiesChange::rw,
                                                      &BucketPropertiesChange::pr,
                                                      &BucketPropertiesChange::pw,
                                                      &BucketPropertiesChange::node_confirms};
constexpr std::array<FlagField, 2> kFlagFields = {&BucketPropertiesChange::basic_quorum,
                                                  &BucketPropertiesChange::notfound_ok};

void WriteOverride(const BucketPropertiesChange& change, ByteWriter& out) {
  for (const QuorumField field : kQuorumFields) {
    const std::optional<QuorumValue>& value = change.*field;
    out.U8(value ? static_cast<uint8_t>(value->kind) + 1 : 0);
    out.U32(value ? value->number : 0);
  }
  for (const FlagField field : kFlagFields) {
    const std::optional<bool>& value = change.*field;
    out.U8(value ? (*value ? 2 : 1) : 0);
  }
}

BucketPropertiesChange ReadOverride(ByteReader& in) {
  BucketPropertiesChange change;
  for (const QuorumField field : kQuorumFields) {
    const uint8_t kind = in.U8();
    const uint32_t number = in.U32();
    if (kind > static_cast<uint8_t>(QuorumValue::Kind::kAll) + 1) in.Invalidate();
    if (kind > 0) change.*field = QuorumValue{static_cast<QuorumValue::Kind>(kind - 1), number};
  }
  for (const FlagField field : kFlagFields) {
    const uint8_t flag = in.U8();
    if (flag > 2) in.Invalidate();
    if (flag > 0) change.*field = flag == 2;
  }
  return change;
}

void Overlay(const BucketPropertiesChange& change, BucketPropertiesChange* onto) {
  if (change.reset) *onto = {};
  for (const QuorumField field : kQuorumFields) {
    if (change.*field) onto->*field = change.*field;
  }
  for (const FlagField field : kFlagFields) {
    if (change.*field) onto->*field = change.*field;
  }
}

}  // namespace

void Apply(const BucketPropertiesChange& change, BucketProperties* properties) {
  properties->r = change.r.value_or(properties->r);
  properties->w = change.w.value_or(properties->w);
  properties->dw = change.dw.value_or(properties->dw);
  properties->rw = change.rw.value_or(properties->rw);
  properties->pr = change.pr.value_or(properties->pr);
  properties->pw = change.pw.value_or(properties->pw);
  properties->node_confirms = change.node_confirms.value_or(properties->node_confirms);
  properties->basic_quorum = change.basic_quorum.value_or(properties->basic_quorum);
  properties->notfound_ok = change.notfound_ok.value_or(properties->notfound_ok);
}

BucketProperties PropertiesOf(const BucketType& type, const BucketMap& overrides, const std::string& type_name,
                              const std::string& bucket) {
  BucketProperties properties;
  properties.n_val = type.n_val;
  properties.policy = type.policy;
  // Only where every ack is synced anyway does dw cost nothing unasked.
  if (type.durability != BucketType::Durability::kSync) properties.dw = QuorumValue::Number(0);
  if (overrides.empty()) return properties;
  const auto found = overrides.find({type_name, bucket});
  if (found != overrides.end()) Apply(found->second.set, &properties);
  return properties;
}

Status BucketTable::Set(const std::string& type, const std::string& bucket, const BucketPropertiesChange& change,
                        NodeId by, WallMicros now) {
  const bool known = map_->contains({type, bucket});
  if (!known && map_->size() >= buckets_max_) {
    return Fail(Errc::kTooLarge, "as many buckets as the limit allows have properties of their own");
  }
  BucketMap map = *map_;
  BucketOverride& entry = map[{type, bucket}];
  Overlay(change, &entry.set);
  entry.stamp = clock_.Next(now, entry.stamp);
  entry.by = by;
  Publish(std::move(map));
  return {};
}

Bytes BucketTable::Encode() const {
  Bytes encoded;
  ByteWriter out(&encoded);
  out.U8(kFormat);
  out.Varint(map_->size());
  for (const auto& [bucket, entry] : *map_) {
    out.String(bucket.first);
    out.String(bucket.second);
    out.U64(entry.stamp);
    out.U64(entry.by.value);
    WriteOverride(entry.set, out);
  }
  return encoded;
}

Status BucketTable::Merge(std::string_view encoded) {
  ByteReader in(encoded);
  if (in.U8() != kFormat) in.Invalidate();
  BucketMap map = *map_;
  bool news = false;
  uint64_t highest = 0;
  for (size_t left = in.Count(kOverrideBytesMin); left > 0 && in.ok(); --left) {
    std::pair<std::string, std::string> bucket{in.String(), in.String()};
    BucketOverride entry;
    entry.stamp = in.U64();
    entry.by = NodeId{in.U64()};
    entry.set = ReadOverride(in);
    if (entry.stamp > kCounterMax) in.Invalidate();
    highest = std::max(highest, entry.stamp);
    BucketOverride& mine = map[std::move(bucket)];
    if (std::tie(entry.stamp, entry.by) <= std::tie(mine.stamp, mine.by)) continue;
    mine = std::move(entry);
    news = true;
  }
  if (!in.at_end()) return Fail(Errc::kCorrupt, "bucket properties: malformed");
  // What is over the limit was within it elsewhere, or is forged.
  if (map.size() > 2 * buckets_max_) return Fail(Errc::kTooLarge, "bucket properties: too many buckets");
  clock_.Observe(highest);
  if (news) Publish(std::move(map));
  return {};
}

void BucketTable::Publish(BucketMap map) {
  map_ = std::make_shared<const BucketMap>(std::move(map));
  hash_ = HashOf(Encode());
  if (listener_) listener_(map_);
}

}  // namespace dynamo
