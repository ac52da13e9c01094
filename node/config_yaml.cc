#include <fmt/format.h>

#include <utility>

#include "common/yaml/load.h"
#include "node/config_settings.h"

namespace dynamo {
namespace {

Result<Given> ReadValue(const YAML::Node& key, const YAML::Node& value, const std::string& file) {
  const std::string& name = key.Scalar();
  const auto fail = [&](const YAML::Node& at, const char* what) {
    return Fail(YamlErrorAt(file, at.Mark(), fmt::format("{}: {}", name, what)));
  };
  Given given{{}, fmt::format("{}:{}: {}", file, value.Mark().line + 1, name)};
  NodeConfig config;
  const bool list = std::holds_alternative<std::vector<std::string>*>(FindSetting(name)->field(config));
  if (value.IsScalar()) {
    given.values.push_back(value.Scalar());
  } else if (value.IsSequence() && list) {
    for (const YAML::Node& item : value) {
      if (!item.IsScalar()) return fail(item, "wants a list of texts");
      given.values.push_back(item.Scalar());
    }
  } else {
    // What is not there stands, for the parser, at the next line.
    return fail(value.IsNull() ? key : value, list ? "wants a text or a list of texts" : "wants one value");
  }
  return given;
}

Result<GivenSettings> ReadSettings(const YAML::Node& root, const std::string& file) {
  GivenSettings settings;
  if (root.IsNull()) return settings;  // An empty file.
  if (!root.IsMap()) return Fail(YamlErrorAt(file, root.Mark(), "wants lines of \"name: value\""));
  for (const auto& entry : root) {
    if (!entry.first.IsScalar()) return Fail(YamlErrorAt(file, entry.first.Mark(), "wants the name of a setting"));
    const std::string& name = entry.first.Scalar();
    if (FindSetting(name) == nullptr) {
      return Fail(
          YamlErrorAt(file, entry.first.Mark(), fmt::format("unknown setting \"{}\"; --help lists them all", name)));
    }
    if (settings.contains(name))
      return Fail(YamlErrorAt(file, entry.first.Mark(), fmt::format("\"{}\" is given twice", name)));
    auto given = ReadValue(entry.first, entry.second, file);
    if (!given) return Fail(std::move(given.error()));
    settings.emplace(name, std::move(*given));
  }
  return settings;
}

}  // namespace

Result<GivenSettings> ParseYamlSettings(std::string_view text, const std::string& file) {
  const auto root = LoadYaml(text, file);
  if (!root) return Fail(root.error());
  try {
    return ReadSettings(*root, file);
  } catch (const YAML::Exception& error) {
    return Fail(YamlErrorAt(file, error.mark, error.msg));
  }
}

}  // namespace dynamo
