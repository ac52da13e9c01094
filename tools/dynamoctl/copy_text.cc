#include "tools/dynamoctl/copy_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace dynamo::ctl {

std::string BytesText(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // What would be shown as 1024.0 is one of the next.
  for (; amount >= 1023.95 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string SecondsText(int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string CopyText(const admin::Operation& operation) {
  if (operation.bytes_done < 0) return "";
  std::string text = ", " + BytesText(static_cast<uint64_t>(operation.bytes_done));
  if (operation.bytes_in_all >= 0) text += " of about " + BytesText(static_cast<uint64_t>(operation.bytes_in_all));
  text += " copied";
  if (operation.bytes_per_second > 0) {
    text += fmt::format(" at {}/s", BytesText(static_cast<uint64_t>(operation.bytes_per_second)));
  }
  if (operation.seconds_left > 0) text += fmt::format(", about {} left", SecondsText(operation.seconds_left));
  if (!operation.unanswered.empty()) {
    text += fmt::format(" (what {} did is not known)", fmt::join(operation.unanswered, ", "));
  }
  return text;
}

}  // namespace dynamo::ctl
