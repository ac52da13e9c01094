#include "node/api/riak_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace dynamo {
namespace {

constexpr uint32_t kWireOne = 0xFFFFFFFE;
constexpr uint32_t kWireQuorum = 0xFFFFFFFD;
constexpr uint32_t kWireAll = 0xFFFFFFFC;
constexpr uint32_t kWireDefault = 0xFFFFFFFB;

Status ValidatePart(std::string_view what, const std::string& part, const DoorLimits& limits) {
  if (part.empty()) return Fail(Errc::kInvalidArgument, fmt::format("{} cannot be zero-length", what));
  if (part.size() > limits.key_bytes_max) {
    return Fail(Errc::kTooLarge,
                fmt::format("{} of {} bytes is too long: the limit is {}", what, part.size(), limits.key_bytes_max));
  }
  return {};
}

}  // namespace

QuorumValue QuorumFromWire(uint32_t wire) {
  switch (wire) {
    case kWireOne: return QuorumValue::One();
    case kWireQuorum: return QuorumValue::Quorum();
    case kWireAll: return QuorumValue::All();
    case kWireDefault: return {};
    default: return QuorumValue::Number(wire);
  }
}

uint32_t QuorumToWire(const QuorumValue& value) {
  switch (value.kind) {
    case QuorumValue::Kind::kOne: return kWireOne;
    case QuorumValue::Kind::kQuorum: return kWireQuorum;
    case QuorumValue::Kind::kAll: return kWireAll;
    case QuorumValue::Kind::kDefault: return kWireDefault;
    case QuorumValue::Kind::kNumber: break;
  }
  return value.number;
}

Result<QuorumValue> QuorumFromText(std::string_view parameter, std::string_view text) {
  if (text == "one") return QuorumValue::One();
  if (text == "quorum") return QuorumValue::Quorum();
  if (text == "all") return QuorumValue::All();
  if (text == "default") return QuorumValue{};
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.size() > 9) {
    return Fail(Errc::kInvalidArgument, fmt::format("{} query parameter must be an integer or one of the following "
                                                    "words: 'one', 'quorum' or 'all'",
                                                    parameter));
  }
  return QuorumValue::Number(number);
}

std::string QuorumToText(const QuorumValue& value) {
  switch (value.kind) {
    case QuorumValue::Kind::kOne: return "\"one\"";
    case QuorumValue::Kind::kQuorum: return "\"quorum\"";
    case QuorumValue::Kind::kAll: return "\"all\"";
    case QuorumValue::Kind::kDefault: return "\"default\"";
    case QuorumValue::Kind::kNumber: break;
  }
  return std::to_string(value.number);
}

Status ValidateKey(const ObjectKey& key, const DoorLimits& limits) {
  if (auto type = ValidatePart("Type", key.type, limits); !type) return type;
  if (auto bucket = ValidatePart("Bucket", key.bucket, limits); !bucket) return bucket;
  return ValidatePart("Key", key.key, limits);
}

std::string GenerateKey(Random& random) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out;
  while (out.size() < 27) {
    // 62^9 < 2^64: nine characters from each draw, with a bias below 2^-10.
    uint64_t draw = random.Secret();
    for (int i = 0; i < 9; ++i, draw /= 62) out += kAlphabet[draw % 62];
  }
  return out;
}

std::vector<const Sibling*> SortedSiblings(const Object& object) {
  std::vector<const Sibling*> out;
  for (const Sibling& sibling : object.siblings) out.push_back(&sibling);
  std::sort(out.begin(), out.end(), [](const Sibling* a, const Sibling* b) {
    const int by_value = a->content.value.compare(b->content.value);
    if (by_value != 0) return by_value < 0;
    return std::pair(!a->tombstone, a->dot) < std::pair(!b->tombstone, b->dot);
  });
  return out;
}

std::string RiakErrorText(const Error& error) {
  switch (error.code) {
    case Errc::kTimeout: return "timeout: " + error.message;
    case Errc::kOverloaded: return "overload: " + error.message;
    default: return error.message;
  }
}

}  // namespace dynamo
