// Cuts a stream of bytes from a peer into frames, in place.
#ifndef DYNAMO_NODE_ADAPTER_FRAME_BUFFER_H_
#define DYNAMO_NODE_ADAPTER_FRAME_BUFFER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/result.h"
#include "node/protocol/frame.h"

namespace dynamo {

// Pure: bytes in, frames out, however they were cut on the way. Memory follows
// what has arrived, not what a length claims: at most twice the bytes received and
// not yet taken, or kMinimum.
class FrameBuffer {
 public:
  static constexpr size_t kMinimum = 64 << 10;

  // With `magic`, the stream begins with kPeerMagic.
  explicit FrameBuffer(bool magic) : magic_pending_(magic) {}

  // Where the next bytes go; never empty. Ends the views that Next gave.
  std::span<char> Space();
  // `size` bytes have been put there.
  void Filled(size_t size) { end_ += size; }

  // The next whole frame, a view into the buffer until Space is called; nullopt:
  // more bytes are needed. After an error the stream is of no further use.
  Result<std::optional<ParsedFrame>> Next();

  size_t capacity() const { return capacity_; }

 private:
  Status TakeMagic();
  std::string_view Unread() const { return {data_.get() + begin_, end_ - begin_}; }
  void Resize(size_t capacity);

  bool magic_pending_;
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_FRAME_BUFFER_H_
