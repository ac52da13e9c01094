// Which versions of the protocol between nodes a build speaks, and how two builds
// find one that both do.
//
// Either side of a connection begins with a hello: kPeerMagic, the oldest version it
// speaks, the newest. Both then use the newest version that both speak; a node says
// nothing more before it has heard the other's hello.
#ifndef DYNAMO_NODE_PROTOCOL_SPOKEN_VERSIONS_H_
#define DYNAMO_NODE_PROTOCOL_SPOKEN_VERSIONS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace dynamo {

struct SpokenVersions {
  uint8_t oldest = 1;  // 1 to newest.
  uint8_t newest = 1;

  friend bool operator==(const SpokenVersions&, const SpokenVersions&) = default;
};

// Of this build. A release speaks the newest version of the release before it, so that
// the two can be mixed while a cluster is upgraded. Alone in its source file: a test
// links a node of another version by defining it.
extern const SpokenVersions kSpokenVersions;

// kUnsupported: they have none in common.
Result<uint8_t> CommonVersion(SpokenVersions ours, SpokenVersions peers);

// Tells a peer from a stray client before anything is allocated for it.
inline constexpr std::string_view kPeerMagic = "DYN\x01";
inline constexpr size_t kHelloBytes = kPeerMagic.size() + 2;

Bytes EncodeHello(SpokenVersions spoken);
// `hello`: kHelloBytes of them. kCorrupt: not a peer's.
Result<SpokenVersions> ParseHello(std::string_view hello);

}  // namespace dynamo

#endif  // DYNAMO_NODE_PROTOCOL_SPOKEN_VERSIONS_H_
