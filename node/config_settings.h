// The table of all settings.
#ifndef DYNAMO_NODE_CONFIG_SETTINGS_H_
#define DYNAMO_NODE_CONFIG_SETTINGS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/config.h"

namespace dynamo {

// Where a setting's value lives; what it points at is the setting's type.
using Field = std::variant<std::string*, std::vector<std::string>*, uint16_t*, uint32_t*, uint64_t*, Duration*, bool*,
                           LogLevel*, TlsMode*>;

struct Setting {
  std::string name;  // data-dir; DYNAMO_DATA_DIR; ends in its unit where it has one.
  std::string help;
  std::function<Field(NodeConfig&)> field;
  uint64_t least = 0;  // Of numbers and durations, in the setting's unit.
  uint64_t most = UINT64_MAX;
};

const std::vector<Setting>& Settings();
const Setting* FindSetting(std::string_view name);

// "DYNAMO_DATA_DIR".
std::string EnvironmentName(const Setting& setting);

// What was said about one setting, and where: "--peer-port", "node.yaml:3: peer-port".
struct Given {
  std::vector<std::string> values;
  std::string where;
};
using GivenSettings = std::map<std::string, Given, std::less<>>;

// kInvalidArgument: the values are not of the setting's type, or out of its bounds.
Status Assign(const Setting& setting, const Given& given, NodeConfig& config);

// The value as a person would write it; durations in milliseconds.
std::string ShowValue(const Setting& setting, NodeConfig config);
// "TEXT", "NUMBER", "MS", "BYTES", ...
std::string TypeName(const Setting& setting);

// One YAML file: a map from setting names to scalars or, for lists, sequences.
// kInvalidArgument: not YAML, an unknown or repeated name, a value of another shape;
// the message begins with `file` and the line. Bounded in depth and size.
Result<GivenSettings> ParseYamlSettings(std::string_view text, const std::string& file);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CONFIG_SETTINGS_H_
