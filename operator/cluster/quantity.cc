#include "operator/cluster/quantity.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace dynamo::op {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
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

}  // namespace

std::optional<int64_t> ParseBytes(std::string_view text) {
  const auto number = TakeNumber(&text);
  if (!number || text.empty()) return number;
  const int64_t base = text.ends_with('i') ? 1024 : 1000;
  if (base == 1024) text.remove_suffix(1);
  // Kubernetes writes 1000 as "k" and 1024 as "Ki".
  const std::string_view letters = base == 1024 ? "KMGTPE" : "kMGTPE";
  const size_t power = text.size() == 1 ? letters.find(text[0]) : std::string_view::npos;
  if (power == std::string_view::npos) return std::nullopt;
  int64_t unit = base;
  for (size_t i = 0; i < power; ++i) unit *= base;
  return Scaled(*number, unit);
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
