// Every limit of the service, by name.
#ifndef DYNAMO_NODE_SERVICE_SERVICE_CONFIG_H_
#define DYNAMO_NODE_SERVICE_SERVICE_CONFIG_H_

#include <cstddef>
#include <cstdint>

#include "common/base/time.h"
#include "node/core/membership/member_table.h"
#include "node/service/membership.h"
#include "node/service/planted_bugs.h"
#include "node/service/register_voter.h"

namespace dynamo {

struct ServiceConfig {
  // What this node says of itself; id and incarnation are filled in at start.
  NodeInfo self;
  MembershipConfig membership;
  RegisterConfig topology_register;

  Duration request_timeout{5'000'000};  // When the client names none.
  Duration request_timeout_max{60'000'000};
  // A replica that has not answered by then is given up for this operation, and a
  // fallback is asked in its place.
  Duration replica_timeout{1'000'000};
  // The data read goes to a second replica after the recent p95, at least this.
  Duration hedge_after_min{5'000};
  size_t object_bytes_max = 50u << 20;
  uint32_t siblings_max = 100;
  size_t clock_cache_entries = 1u << 16;        // Per shard.
  uint64_t hint_bytes_max = uint64_t{1} << 30;  // Per node; above it new hints are refused.
  Duration hint_retry{1'000'000};               // Doubles up to 16 times this while deliveries fail.
  size_t hint_batch = 32;                       // Deliveries in flight at once, per shard.
  size_t hint_batch_bytes = 4u << 20;
  uint32_t requests_in_flight_max = 4096;  // Per shard; above it requests are shed.
  uint32_t key_waiters_max = 1024;         // Writers that queue for one key; above it writes are shed.
  // Forwarded requests that a coordinator remembers, so that a duplicated frame
  // does nothing twice: how many per shard, and for how long at least.
  uint32_t request_ids_max = 1u << 16;
  Duration request_memory{10'000'000};
  uint32_t buckets_max = 10'000;  // With properties of their own.

  // How often each tree is compared with the other owners', jittered by half; 0: on
  // demand only.
  Duration anti_entropy_interval{300'000'000};
  // How often all that is stored is read again, which finds what has rotted; 0: never.
  Duration anti_entropy_rescan{int64_t{7} * 24 * 3600 * 1'000'000};
  // Reads of the disk and objects sent, per shard; 0: as fast as it goes.
  uint64_t anti_entropy_bytes_per_second = 16u << 20;
  uint64_t anti_entropy_bytes_max = 64u << 20;  // Of objects in one exchange; the rest is the next one's.
  Duration anti_entropy_timeout{60'000'000};    // For a peer to bring its tree up to date.
  size_t corrupt_keys_max = 10'000;             // Remembered for repair, per shard.

  uint32_t transfer_max_concurrent = 2;            // Partitions that a shard receives at once; 0: none.
  uint64_t transfer_bytes_per_second = 32u << 20;  // Received and sent, each, per shard; 0: as fast as it goes.
  size_t transfer_chunk_bytes = 1u << 20;
  Duration transfer_timeout{10'000'000};  // For one answer of a peer.
  // A node that leaves and holds nothing any more says so long that it is not ready, and
  // serves all the same, before it asks to be left out.
  Duration departure_grace{5'000'000};

  // How often tombstones and long version vectors are looked for; 0: never, and never
  // without anti-entropy.
  Duration reap_interval{600'000'000};
  // Younger ones stay: what was written just now is still on its way. Nothing rests on it.
  Duration reap_age_min{3'600'000'000};
  uint32_t reap_clock_entries_max = 50;       // Longer version vectors are cut.
  uint64_t reap_bytes_per_second = 4u << 20;  // Read by each shard; 0: as fast as it goes.
  Duration reap_timeout{10'000'000};          // For one answer of a member.

  [[no_unique_address]] PlantedBugs planted;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_SERVICE_CONFIG_H_
