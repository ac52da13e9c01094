#include "operator/cluster/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace dynamo::op {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kParts = 1'000'000'000;
constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;

// Takes the number that `text` begins with; nullopt: none, or too large.
std::optional<int64_t> TakeNumber(std::string_view* text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

std::optional<int64_t> Scaled(int64_t number, int64_t unit) {
  if (number > kMost / unit) return std::nullopt;
  return number * unit;
}

// What stands behind a number's point, in parts of 10^9: none is 0. Further digits are
// rounded up. nullopt: no digit follows the point.
std::optional<int64_t> TakeFraction(std::string_view* text) {
  if (!text->starts_with('.')) return 0;
  text->remove_prefix(1);
  const size_t digits = std::min(text->find_first_not_of("0123456789"), text->size());
  if (digits == 0) return std::nullopt;
  int64_t parts = 0;
  for (size_t i = 0; i < 9; ++i) parts = parts * 10 + (i < digits ? (*text)[i] - '0' : 0);
  const bool more = digits > 9 && text->substr(9, digits - 9).find_first_not_of('0') != std::string_view::npos;
  text->remove_prefix(digits);
  return parts + (more ? 1 : 0);
}

// Whole and fraction of a unit, rounded up.
std::optional<int64_t> Sum(int64_t whole, int64_t fraction, int64_t unit) {
  const auto scaled = Scaled(whole, unit);
  if (!scaled) return std::nullopt;
  const int64_t high = unit / kParts * fraction, low = (unit % kParts * fraction + kParts - 1) / kParts;
  if (high + low > kMost - *scaled) return std::nullopt;
  return *scaled + high + low;
}

}  // namespace

std::optional<int64_t> ParseBytes(std::string_view text) {
  const auto number = TakeNumber(&text);
  const auto fraction = number ? TakeFraction(&text) : std::nullopt;
  if (!fraction) return std::nullopt;
  if (text.empty()) return Sum(*number, *fraction, 1);
  const int64_t base = text.ends_with('i') ? 1024 : 1000;
  if (base == 1024) text.remove_suffix(1);
  // Kubernetes writes 1000 as "k" and 1024 as "Ki".
  const std::string_view letters = base == 1024 ? "KMGTPE" : "kMGTPE";
  const size_t power = text.size() == 1 ? letters.find(text[0]) : std::string_view::npos;
  if (power == std::string_view::npos) return std::nullopt;
  int64_t unit = base;
  for (size_t i = 0; i < power; ++i) unit *= base;
  return Sum(*number, *fraction, unit);
}

std::optional<int64_t> ParseMilliseconds(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, int64_t>, 4> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  if (text.empty()) return std::nullopt;
  int64_t sum = 0;
  while (!text.empty()) {
    const auto number = TakeNumber(&text);
    if (!number || *number > kYearMs) return std::nullopt;
    int64_t unit = 0;
    for (const auto& [name, milliseconds] : kUnits) {
      if (unit != 0 || !text.starts_with(name)) continue;
      unit = milliseconds;
      text.remove_prefix(name.size());
    }
    const auto part = unit == 0 ? std::nullopt : Scaled(*number, unit);
    if (!part || *part > kYearMs - sum) return std::nullopt;
    sum += *part;
  }
  return sum;
}

}  // namespace dynamo::op
