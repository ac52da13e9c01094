#include <fmt/format.h>

#include <algorithm>

#include "node/protocol/spoken_versions.h"

namespace dynamo {

Result<uint8_t> CommonVersion(SpokenVersions ours, SpokenVersions peers) {
  const uint8_t common = std::min(ours.newest, peers.newest);
  if (common >= std::max(ours.oldest, peers.oldest)) return common;
  return Fail(Errc::kUnsupported,
              fmt::format("the peer speaks the protocol's versions {} to {}, this node {} to {}: a release between "
                          "theirs has to come first",
                          peers.oldest, peers.newest, ours.oldest, ours.newest));
}

Bytes EncodeHello(SpokenVersions spoken) {
  Bytes hello(kPeerMagic);
  ByteWriter writer(&hello);
  writer.U8(spoken.oldest);
  writer.U8(spoken.newest);
  return hello;
}

Result<SpokenVersions> ParseHello(std::string_view hello) {
  ByteReader reader(hello);
  const std::string_view magic = reader.Raw(kPeerMagic.size());
  SpokenVersions spoken;
  spoken.oldest = reader.U8();
  spoken.newest = reader.U8();
  if (!reader.at_end() || magic != kPeerMagic || spoken.oldest < 1 || spoken.newest < spoken.oldest) {
    return Fail(Errc::kCorrupt, "the first bytes are not a peer's");
  }
  return spoken;
}

}  // namespace dynamo
