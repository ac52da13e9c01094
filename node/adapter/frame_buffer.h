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

  // Begins with the peer's hello, as every stream does.
  explicit FrameBuffer(SpokenVersions spoken = kSpokenVersions) : spoken_(spoken) {}

  // Where the next bytes go; never empty. Ends the views that Next gave.
  std::span<char> Space();
  // `size` bytes have been put there.
  void Filled(size_t size) { end_ += size; }

  // The next whole frame, a view into the buffer until Space is called; nullopt:
  // more bytes are needed. After an error the stream is of no further use:
  // kUnsupported: no version is common with the peer.
  Result<std::optional<ParsedFrame>> Next();

  // The newest version that both sides speak, once Next has seen the peer's hello.
  std::optional<uint8_t> version() const { return version_; }

  size_t capacity() const { return capacity_; }

 private:
  Status TakeHello();
  std::string_view Unread() const { return {data_.get() + begin_, end_ - begin_}; }
  void Resize(size_t capacity);

  SpokenVersions spoken_;
  std::optional<uint8_t> version_;
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_FRAME_BUFFER_H_
