// Whatever a client sends to the Protocol Buffers port: the answers are whole frames.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "node/api/pb_codec.h"
#include "node/api/pb_door.h"
#include "tests/fuzz/door_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dynamo;
  FakeHandler handler;
  FixedRandom random;
  DoorLimits limits;
  limits.object_bytes_max = 1024;
  handler.get_reply = GetReply{MakeObject({MakeSibling(1, "milk"), MakeSibling(2, "bread")}), "token", {}};

  const auto serve = [&](std::shared_ptr<Connection> connection) {
    return ServePb(std::move(connection), DoorEnv{&handler, &random, nullptr, limits, "node-1"});
  };
  std::string answer = TalkTo(serve, {reinterpret_cast<const char*>(data), size});
  while (!answer.empty()) {
    DYNAMO_CHECK(answer.size() > kPbLengthBytes);
    const auto length = ParsePbLength(answer.substr(0, kPbLengthBytes), 1u << 20);
    DYNAMO_CHECK(length.has_value() && answer.size() >= kPbLengthBytes + *length);
    answer.erase(0, kPbLengthBytes + *length);
  }
  return 0;
}
