// Frames that wait to be written to one peer: corked, then written together.
#ifndef DYNAMO_NODE_ADAPTER_FRAME_QUEUE_H_
#define DYNAMO_NODE_ADAPTER_FRAME_QUEUE_H_

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "node/env/async.h"
#include "node/env/transport.h"
#include "node/protocol/frame.h"

namespace dynamo {

// A small body is copied, since one long buffer is cheaper to write than many; a
// large one is shared with whoever else it goes to.
class FrameQueue {
 public:
  static constexpr size_t kShareBytesMin = 8 << 10;

  // Before SetVersion frames wait: nobody knows yet how to write them.
  void Append(FrameHeader header, SharedBytes body);
  void AppendRaw(std::string_view bytes);
  // Of the protocol: of all frames, those that wait too. Once.
  void SetVersion(uint8_t version);

  // The first buffers of what waits, to be written in this order; replaces `out`.
  void Buffers(std::vector<asio::const_buffer>* out) const;
  // `size` bytes have been written.
  void Consume(size_t size);

  // Nothing that may be written now.
  bool empty() const { return chunks_.empty(); }
  size_t waiting() const { return static_cast<size_t>(appended_ - consumed_); }
  // Offsets into the stream, from its first byte.
  uint64_t appended() const { return appended_; }
  uint64_t consumed() const { return consumed_; }

 private:
  static constexpr size_t kBuffersMax = 64;       // In one system call.
  static constexpr size_t kSpareMax = 256 << 10;  // Kept for reuse when empty.

  // Either own bytes or a shared body.
  struct Chunk {
    Bytes own;
    SharedBytes shared;
    std::string_view view() const { return shared ? std::string_view(*shared) : std::string_view(own); }
  };
  Bytes& Tail();
  void Write(FrameHeader header, SharedBytes body);

  std::optional<uint8_t> version_;
  std::vector<std::pair<FrameHeader, SharedBytes>> early_;  // Before the version was known.
  std::deque<Chunk> chunks_;
  Bytes spare_;
  size_t front_offset_ = 0;  // Of the first chunk: written before.
  uint64_t appended_ = 0;
  uint64_t consumed_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_FRAME_QUEUE_H_
