// What the doors refuse before it costs memory.
#ifndef DYNAMO_NODE_API_LIMITS_H_
#define DYNAMO_NODE_API_LIMITS_H_

#include <chrono>
#include <cstddef>

namespace dynamo {

struct DoorLimits {
  size_t object_bytes_max = 50u << 20;
  size_t key_bytes_max = 4096;          // Of a bucket type, a bucket or a key.
  size_t header_bytes_max = 64u << 10;  // Of an HTTP request's head.
  size_t connections_max = 10'000;      // Of one door on one shard.
  // Between requests.
  std::chrono::milliseconds idle_timeout{std::chrono::minutes(10)};
  // From the first byte of a request to its last, and of an answer likewise.
  std::chrono::milliseconds transfer_timeout{std::chrono::seconds(60)};
  // Of a handshake.
  std::chrono::milliseconds handshake_timeout{std::chrono::seconds(10)};
};

// The version of Riak's API that the doors speak: clients choose features by it.
inline constexpr char kRiakApiVersion[] = "3.0.0";

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_LIMITS_H_
