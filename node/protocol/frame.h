// The frame around every message between nodes, and its limits.
//
// After the hello of a connection (spoken_versions.h) each frame is
// 4 bytes big-endian length of what follows, then
//   version (1) | kind (1) | call id (8) | from (8) | to (8) | cluster tag (8) |
//   timeout in ms (4) | checksum (8: XXH3-64 of all other bytes after the length) | body
#ifndef DYNAMO_NODE_PROTOCOL_FRAME_H_
#define DYNAMO_NODE_PROTOCOL_FRAME_H_

#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/protocol/spoken_versions.h"

namespace dynamo {

// kRefused answers a request that was surely not processed; its body is a message
// for people.
enum class FrameKind : uint8_t { kRequest = 1, kResponse = 2, kRefused = 3 };

struct FrameHeader {
  uint8_t version = kSpokenVersions.newest;  // The connection says which.
  FrameKind kind = FrameKind::kRequest;
  uint64_t call_id = 0;  // Chosen by the caller, returned with the answer.
  NodeId from;
  NodeId to;  // None: whoever listens there (seeds, creation).
  // Low 64 bits of the cluster id; zero: of no cluster yet.
  uint64_t cluster_tag = 0;
  uint32_t timeout_ms = 0;  // What is left of the request's deadline.

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

inline constexpr size_t kFrameLengthBytes = 4;
inline constexpr size_t kFrameHeaderBytes = 46;  // Version to checksum; of every version of the protocol.
inline constexpr size_t kFrameBytesMax = 64u << 20;

// Length and header for `body`, appended to `out`; the body must follow.
void AppendFrameHeader(const FrameHeader& header, std::string_view body, Bytes* out);
// Length, header and body, appended to `out`.
void AppendFrame(const FrameHeader& header, std::string_view body, Bytes* out);

// How many bytes follow the length; kCorrupt if shorter than a header or longer
// than kFrameBytesMax. `length_bytes` holds exactly kFrameLengthBytes.
Result<size_t> ParseFrameLength(std::string_view length_bytes);

struct ParsedFrame {
  FrameHeader header;
  std::string_view body;  // Into the data given.
};
// `frame`: what follows the length. kCorrupt: cut, altered, unknown kind;
// kUnsupported: of a version that is not spoken.
Result<ParsedFrame> ParseFrame(std::string_view frame, SpokenVersions spoken = kSpokenVersions);

}  // namespace dynamo

#endif  // DYNAMO_NODE_PROTOCOL_FRAME_H_
