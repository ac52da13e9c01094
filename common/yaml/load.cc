#include "common/yaml/load.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace dynamo {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;
// Of flow collections: the parser recurses, and no setting needs more than one.
constexpr int kDepthMax = 32;

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
  return Fail(YamlErrorAt(file, start.mark, "a second document"));
}

}  // namespace

Error YamlErrorAt(const std::string& file, const YAML::Mark& mark, const std::string& what) {
  return {Errc::kInvalidArgument, fmt::format("{}:{}: {}", file, std::max(mark.line, 0) + 1, what)};
}

Result<YAML::Node> LoadYaml(std::string_view text, const std::string& file) {
  if (Status bounds = CheckBounds(text, file); !bounds) return Fail(std::move(bounds.error()));
  try {
    if (Status one = CheckOneDocument(std::string(text), file); !one) return Fail(std::move(one.error()));
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    return Fail(YamlErrorAt(file, error.mark, error.msg));
  }
}

}  // namespace dynamo
