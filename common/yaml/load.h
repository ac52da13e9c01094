// One YAML document out of a file that somebody wrote, with bounds before parsing.
#ifndef DYNAMO_COMMON_YAML_LOAD_H_
#define DYNAMO_COMMON_YAML_LOAD_H_

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace dynamo {

// kInvalidArgument, "FILE:LINE: what".
Error YamlErrorAt(const std::string& file, const YAML::Mark& mark, const std::string& what);

// kInvalidArgument: not YAML, more than one document, too large or nested too deeply; the
// message begins with `file` and the line.
Result<YAML::Node> LoadYaml(std::string_view text, const std::string& file);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_YAML_LOAD_H_
