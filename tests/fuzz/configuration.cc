// Settings files: read, or refused with a message that names the file.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/check.h"
#include "node/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dynamo;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto loaded = LoadConfig({{"--data-dir", "/data", "--config", "node.yaml"},
                                  [](const std::string&) -> std::optional<std::string> { return std::nullopt; },
                                  [&text](const std::string&) -> Result<std::string> { return text; }});
  if (!loaded) {
    DYNAMO_CHECK(loaded.error().code == Errc::kInvalidArgument);
    DYNAMO_CHECK(!loaded.error().message.empty());
  }
  return 0;
}
