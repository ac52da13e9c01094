#include "node/core/ring/topology_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/hash.h"

namespace dynamo {
namespace {

constexpr size_t kTypeNameBytesMax = 64;
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

uint64_t FingerprintOf(const CreateBucketType& wanted) {
  Bytes words;
  ByteWriter out(&words);
  out.String("create-type");
  out.String(wanted.name);
  out.U8(static_cast<uint8_t>(wanted.type.policy));
  out.Varint(wanted.type.n_val);
  out.U8(static_cast<uint8_t>(wanted.type.durability));
  return Checksum64(words);
}

Status Check(const Topology& current, const CreateBucketType& wanted) {
  const std::string& name = wanted.name;
  if (name.empty() || name.size() > kTypeNameBytesMax || name.find_first_not_of(kNameCharacters) != std::string::npos) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("a bucket type's name is 1 to {} letters, digits, '-' or '_'", kTypeNameBytesMax));
  }
  if (wanted.type.n_val < 1 || wanted.type.n_val > current.partitions) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("N = {}: want 1 to {}, the number of partitions", wanted.type.n_val, current.partitions));
  }
  return {};
}

// Of the same name.
Status CheckSame(const std::string& name, const BucketType& there, const BucketType& wanted) {
  if (there.n_val != wanted.n_val) {
    return Fail(Errc::kUnsupported, fmt::format("bucket type {} has N = {}: changing N moves data, which is not "
                                                "offered yet; create another type",
                                                name, there.n_val));
  }
  if (there.policy != wanted.policy) {
    return Fail(Errc::kUnsupported, fmt::format("bucket type {} has another conflict policy: objects stored under it "
                                                "cannot change theirs; create another type",
                                                name));
  }
  if (there.durability != wanted.durability) {
    return Fail(Errc::kAlreadyExists,
                fmt::format("bucket type {} exists with another durability: create another type", name));
  }
  return {};
}

// Adds the type to `next`; false: it is there.
Result<bool> Apply(Topology& next, const CreateBucketType& wanted) {
  if (Status sound = Check(next, wanted); !sound) return Fail(std::move(sound.error()));
  const auto there = next.types.find(wanted.name);
  if (there != next.types.end()) {
    if (Status same = CheckSame(wanted.name, there->second, wanted.type); !same) return Fail(std::move(same.error()));
    return false;
  }
  if (next.types.size() >= kTypesMax) {
    return Fail(Errc::kInvalidArgument,
                fmt::format("there are {} bucket types already, the most there may be", kTypesMax));
  }
  if (!next.pending.empty() && wanted.type.n_val > next.LargestN()) {
    return Fail(Errc::kConflict, NameOfChange(next) + " moves partitions for a smaller N: wait for it");
  }
  next.types.emplace(wanted.name, wanted.type);
  return true;
}

// What nodes do by themselves has no id, and is not remembered.
bool IsOfNodes(const TopologyChange& change) {
  return std::holds_alternative<TakeOver>(change.what) || std::holds_alternative<Depart>(change.what);
}
uint64_t FingerprintOf(const TakeOver&) { return 0; }
uint64_t FingerprintOf(const Depart&) { return 0; }

Status CheckId(const TopologyChange& change) {
  if (IsOfNodes(change) && change.operation_id.empty()) return {};
  const size_t size = change.operation_id.size();
  if (!IsOfNodes(change) && size > 0 && size <= TopologyOperation::kIdBytesMax) return {};
  return Fail(Errc::kInvalidArgument, fmt::format("an operation id has 1 to {} bytes", TopologyOperation::kIdBytesMax));
}

void Remember(Topology& next, TopologyOperation operation) {
  if (next.operations.size() >= TopologyOperation::kRemembered) next.operations.erase(next.operations.begin());
  next.operations.push_back(std::move(operation));
}

// A loss that was recorded by this change.
void Sign(Topology& next, const std::string& operation_id) {
  if (next.losses.empty() || !next.losses.back().operation_id.empty()) return;
  next.losses.back().operation_id = operation_id;
  next.losses.back().version = next.version;
}

}  // namespace

Result<ChangedTopology> ApplyChange(const Topology& current, const TopologyChange& change) {
  if (Status id = CheckId(change); !id) return Fail(std::move(id.error()));
  const uint64_t fingerprint = std::visit([](const auto& what) { return FingerprintOf(what); }, change.what);
  const auto before = std::ranges::find(current.operations, change.operation_id, &TopologyOperation::id);
  if (before != current.operations.end()) {
    if (before->fingerprint == fingerprint) return ChangedTopology{before->epoch, std::nullopt};
    return Fail(Errc::kInvalidArgument,
                fmt::format("operation id '{}' was used for another change: draw a new one", change.operation_id));
  }
  if (change.epoch && *change.epoch != current.version.epoch) {
    return Fail(Errc::kConflict,
                fmt::format("the topology is at epoch {}, not {}: somebody else changed it; look at it "
                            "and ask again",
                            current.version.epoch, *change.epoch));
  }
  ChangedTopology changed;
  changed.epoch = current.version.epoch;
  Topology next = current;
  auto differs = std::visit([&next](const auto& what) { return Apply(next, what); }, change.what);
  if (!differs) return Fail(std::move(differs.error()));
  if (!*differs) return changed;
  changed.epoch = ++next.version.epoch;
  if (!IsOfNodes(change)) Remember(next, {change.operation_id, fingerprint, changed.epoch});
  Sign(next, change.operation_id);
  changed.next = std::move(next);
  return changed;
}

}  // namespace dynamo
