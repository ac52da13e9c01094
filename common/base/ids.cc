#include "common/base/ids.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace dynamo {
namespace {

std::optional<uint64_t> ParseHex(std::string_view text, size_t digits) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const bool whole = text.size() == digits && error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string ToString(NodeId id) { return fmt::format("{:016x}", id.value); }

Result<NodeId> ParseNodeId(std::string_view text) {
  const auto value = ParseHex(text, 16);
  if (!value || *value == 0) {
    return Fail(Errc::kInvalidArgument, fmt::format("'{}' is no node id: want 16 hexadecimal digits", text));
  }
  return NodeId{*value};
}

std::string ToString(const ClusterId& id) {
  const std::string hex = ToHex(id.value);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

Result<ClusterId> ParseClusterId(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if (c != '-') digits += c;
  }
  const auto high = ParseHex(std::string_view(digits).substr(0, 16), 16);
  const auto low = digits.size() == 32 ? ParseHex(std::string_view(digits).substr(16), 16) : std::nullopt;
  if (!high || !low || text.size() != 36) {
    return Fail(Errc::kInvalidArgument, fmt::format("'{}' is no cluster id: want 8-4-4-4-12 hexadecimal digits", text));
  }
  return ClusterId{{*high, *low}};
}

}  // namespace dynamo
