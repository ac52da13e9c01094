// Whatever a client sends to the HTTP port: the answers are HTTP, and nothing breaks.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "node/api/http_door.h"
#include "tests/fuzz/door_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dynamo;
  FakeHandler handler;
  FixedRandom random;
  Metrics metrics;
  DoorLimits limits;
  limits.object_bytes_max = 1024;
  limits.header_bytes_max = 2048;
  handler.get_reply = GetReply{MakeObject({MakeSibling(1, "milk"), MakeSibling(2, "bread")}), "token", {}};
  HttpDoor door(DoorEnv{&handler, &random, &metrics, limits, "node-1"});

  const auto serve = [&](std::shared_ptr<Connection> connection) {
    return ServeHttp(std::move(connection), limits,
                     [&door](HttpRequest request) { return door.Answer(std::move(request)); });
  };
  const std::string answer = TalkTo(serve, {reinterpret_cast<const char*>(data), size});
  DYNAMO_CHECK(answer.empty() || answer.starts_with("HTTP/1.1 "));
  for (const auto& put : handler.puts) DYNAMO_CHECK(put.content.value.size() <= limits.object_bytes_max);
  return 0;
}
