#include "common/admin/ranges.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <set>

namespace dynamo::admin {
namespace {

std::optional<uint32_t> NumberIn(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string FormatRanges(const std::vector<uint32_t>& numbers) {
  std::string text;
  for (size_t first = 0, last = 0; first < numbers.size(); first = last + 1) {
    last = first;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += first == last ? fmt::format("{}", numbers[first]) : fmt::format("{}-{}", numbers[first], numbers[last]);
  }
  return text;
}

Result<std::vector<uint32_t>> ParseRanges(std::string_view text, size_t max) {
  const auto wrong = [](std::string_view part) {
    return Fail(Errc::kInvalidArgument, fmt::format("'{}': want numbers and ranges, as 0-3,7", part));
  };
  std::set<uint32_t> numbers;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view part = text.substr(at, comma - at);
    const size_t dash = std::min(part.find('-'), part.size());
    const auto first = NumberIn(part.substr(0, dash));
    const auto last = dash == part.size() ? first : NumberIn(part.substr(dash + 1));
    if (!first || !last || *last < *first) return wrong(part);
    if (*last - *first >= max - numbers.size()) return Fail(Errc::kInvalidArgument, "these are too many numbers");
    for (uint64_t number = *first; number <= *last; ++number) numbers.insert(static_cast<uint32_t>(number));
    at = comma + 1;
  }
  return std::vector<uint32_t>(numbers.begin(), numbers.end());
}

}  // namespace dynamo::admin
