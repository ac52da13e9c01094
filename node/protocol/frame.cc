#include "node/protocol/frame.h"

#include <fmt/format.h>

#include "common/base/hash.h"

namespace dynamo {
namespace {

// The checksum covers header and body without joining them in memory.
uint64_t FrameChecksum(std::string_view header, std::string_view body) {
  return Checksum64(header) ^ HashOf(body, /*seed=*/1).low;
}

}  // namespace

void AppendFrameHeader(const FrameHeader& header, std::string_view body, Bytes* out) {
  ByteWriter writer(out);
  writer.U32(static_cast<uint32_t>(kFrameHeaderBytes + body.size()));
  const size_t start = out->size();
  writer.U8(header.version);
  writer.U8(static_cast<uint8_t>(header.kind));
  writer.U64(header.call_id);
  writer.U64(header.from.value);
  writer.U64(header.to.value);
  writer.U64(header.cluster_tag);
  writer.U32(header.timeout_ms);
  writer.U64(FrameChecksum(std::string_view(*out).substr(start), body));
}

void AppendFrame(const FrameHeader& header, std::string_view body, Bytes* out) {
  AppendFrameHeader(header, body, out);
  out->append(body);
}

Result<size_t> ParseFrameLength(std::string_view length_bytes) {
  ByteReader reader(length_bytes);
  const size_t length = reader.U32();
  if (!reader.at_end() || length < kFrameHeaderBytes || length > kFrameBytesMax) {
    return Fail(Errc::kCorrupt,
                fmt::format("peer frame of {} bytes: want {} to {}", length, kFrameHeaderBytes, kFrameBytesMax));
  }
  return length;
}

Result<ParsedFrame> ParseFrame(std::string_view frame, SpokenVersions spoken) {
  ByteReader reader(frame);
  FrameHeader header;
  header.version = reader.U8();
  const uint8_t kind = reader.U8();
  header.kind = static_cast<FrameKind>(kind);
  header.call_id = reader.U64();
  header.from.value = reader.U64();
  header.to.value = reader.U64();
  header.cluster_tag = reader.U64();
  header.timeout_ms = reader.U32();
  const uint64_t checksum = reader.U64();
  if (!reader.ok()) return Fail(Errc::kCorrupt, "peer frame is cut");
  if (header.version < spoken.oldest || header.version > spoken.newest) {
    return Fail(Errc::kUnsupported, fmt::format("peer frame of the protocol's version {}, this node speaks {} to {}",
                                                header.version, spoken.oldest, spoken.newest));
  }
  const std::string_view body = frame.substr(kFrameHeaderBytes);
  if (checksum != FrameChecksum(frame.substr(0, kFrameHeaderBytes - 8), body)) {
    return Fail(Errc::kCorrupt, "peer frame fails its checksum");
  }
  if (kind < 1 || kind > 3) return Fail(Errc::kCorrupt, fmt::format("unknown kind of peer frame: {}", kind));
  return ParsedFrame{header, body};
}

}  // namespace dynamo
