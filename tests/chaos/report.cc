#include "tests/chaos/report.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <numeric>

namespace dynamo::chaos {
namespace {

double Percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

template <class Map>
boost::json::object ToJson(const Map& map) {
  boost::json::object object;
  for (const auto& [name, value] : map) object[name] = value;
  return object;
}

// One member of the outermost object a line: the file is read by people, too.
std::string Lines(const boost::json::object& object) {
  std::string text = "{\n";
  for (const auto& member : object) {
    text += fmt::format("{}  {}: {}", text.size() > 2 ? ",\n" : "", boost::json::serialize(member.key()),
                        boost::json::serialize(member.value()));
  }
  return text + "\n}\n";
}

}  // namespace

uint64_t Report::faults_total() const {
  return std::accumulate(faults.begin(), faults.end(), uint64_t{0},
                         [](uint64_t sum, const auto& kind) { return sum + kind.second; });
}

std::string Report::Text() const {
  std::string text = fmt::format("faults in {:.0f} s of chaos: {}\n", chaos_seconds, faults_total());
  for (const auto& [kind, count] : faults) text += fmt::format("  {:12} {:5}\n", kind, count);
  for (const auto& [kinds, why] : left_out) text += fmt::format("  LEFT OUT     {}\n", kinds);
  for (const auto& [outcome, count] : outcomes) text += fmt::format("  {}: {}\n", outcome, count);
  text += fmt::format(
      "operations {}: reads ok {} failed {} ({:.3f} % ok), writes ok {} failed {} unknown {} ({:.3f} % ok)\n",
      operations(), counts.reads_ok, counts.reads_failed, Percent(counts.reads_ok, counts.reads()), counts.puts_ok,
      counts.puts_failed, counts.puts_unknown, Percent(counts.puts_ok, counts.puts()));
  text += fmt::format("hints drained and all nodes alive {:.1f} s after heal\n", drained_seconds);
  text += fmt::format("keys {}: replicas of {} differed at the first look, of {} at the second, {:.1f} s after heal\n",
                      keys, differing_first, differing_second, equal_seconds);
  text += fmt::format("oracle: {} writes and {} reads judged\n", writes_judged, reads_judged);
  for (const std::string& violation : violations) text += "VIOLATION " + violation + "\n";
  return text + fmt::format("{} violations, seed {}\n", violations.size(), seed);
}

std::string Report::Json() const {
  boost::json::array found;
  for (const std::string& violation : violations) found.emplace_back(violation);
  return Lines({{"command", command},
                {"seed", seed},
                {"chaos_seconds", chaos_seconds},
                {"faults_total", faults_total()},
                {"faults", ToJson(faults)},
                {"left_out", ToJson(left_out)},
                {"bad_disks", ToJson(outcomes)},
                {"operations", operations()},
                {"reads", {{"ok", counts.reads_ok}, {"failed", counts.reads_failed}}},
                {"writes", {{"ok", counts.puts_ok}, {"failed", counts.puts_failed}, {"unknown", counts.puts_unknown}}},
                {"reads_ok_percent", Percent(counts.reads_ok, counts.reads())},
                {"writes_ok_percent", Percent(counts.puts_ok, counts.puts())},
                {"keys", keys},
                {"hints_drained_seconds_after_heal", drained_seconds},
                {"keys_differing_at_first_look", differing_first},
                {"keys_differing_at_second_look", differing_second},
                {"second_look_seconds_after_heal", equal_seconds},
                {"writes_judged", writes_judged},
                {"reads_judged", reads_judged},
                {"violations", std::move(found)}});
}

}  // namespace dynamo::chaos
