#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "node/config_settings.h"

namespace dynamo {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;
// Of flow collections: the parser recurses, and no setting needs more than one.
constexpr int kDepthMax = 32;

Error At(const std::string& file, const YAML::Mark& mark, const std::string& what) {
  return {Errc::kInvalidArgument, fmt::format("{}:{}: {}", file, mark.line + 1, what)};
}

// Before parsing: nothing that is cheap to write may be dear to read.
Status CheckBounds(std::string_view text, const std::string& file) {
  if (text.size() > kFileBytesMax) {
    return Fail(Errc::kInvalidArgument, fmt::format("{}: larger than {} bytes", file, kFileBytesMax));
  }
  int line = 1, depth = 0, on_line = 0;
  for (const char c : text) {
    if (c == '\n') ++line, on_line = 0;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    // "- - - -" and "? ? ?" nest as well.
    if (c == '-' || c == '?' || c == ' ') ++on_line;
    if (depth > kDepthMax || on_line > 1000) {
      return Fail(Errc::kInvalidArgument, fmt::format("{}:{}: nested too deeply", file, line));
    }
  }
  return {};
}

Result<Given> ReadValue(const YAML::Node& key, const YAML::Node& value, const std::string& file) {
  const std::string& name = key.Scalar();
  const auto fail = [&](const YAML::Node& at, const char* what) {
    return Fail(At(file, at.Mark(), fmt::format("{}: {}", name, what)));
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
  if (!root.IsMap()) return Fail(At(file, root.Mark(), "wants lines of \"name: value\""));
  for (const auto& entry : root) {
    if (!entry.first.IsScalar()) return Fail(At(file, entry.first.Mark(), "wants the name of a setting"));
    const std::string& name = entry.first.Scalar();
    if (FindSetting(name) == nullptr) {
      return Fail(At(file, entry.first.Mark(), fmt::format("unknown setting \"{}\"; --help lists them all", name)));
    }
    if (settings.contains(name)) return Fail(At(file, entry.first.Mark(), fmt::format("\"{}\" is given twice", name)));
    auto given = ReadValue(entry.first, entry.second, file);
    if (!given) return Fail(std::move(given.error()));
    settings.emplace(name, std::move(*given));
  }
  return settings;
}

// Keeps where the latest document began.
class DocumentStart : public YAML::EventHandler {
 public:
  YAML::Mark mark;

  void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Not by YAML::LoadAll: where the parser stands still, on a leading comma for one,
// that makes empty documents until memory ends.
Status CheckOneDocument(const std::string& text, const std::string& file) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  if (!parser.HandleNextDocument(start) || !parser) return {};
  parser.HandleNextDocument(start);
  return Fail(At(file, start.mark, "a second document"));
}

}  // namespace

Result<GivenSettings> ParseYamlSettings(std::string_view text, const std::string& file) {
  if (Status bounds = CheckBounds(text, file); !bounds) return Fail(std::move(bounds.error()));
  try {
    if (Status one = CheckOneDocument(std::string(text), file); !one) return Fail(std::move(one.error()));
    return ReadSettings(YAML::Load(std::string(text)), file);
  } catch (const YAML::Exception& error) {
    return Fail(At(file, error.mark, error.msg));
  }
}

}  // namespace dynamo
