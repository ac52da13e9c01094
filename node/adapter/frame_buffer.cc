#include "node/adapter/frame_buffer.h"

#include <algorithm>
#include <cstring>

namespace dynamo {

std::span<char> FrameBuffer::Space() {
  const size_t unread = end_ - begin_;
  if (capacity_ > kMinimum && unread <= kMinimum / 2) {
    Resize(kMinimum);  // A large frame has passed.
  } else if (unread == capacity_) {
    Resize(std::max(2 * capacity_, kMinimum));
  } else if (begin_ > 0 && (unread == 0 || capacity_ - end_ < capacity_ / 2)) {
    std::memmove(data_.get(), data_.get() + begin_, unread);
    begin_ = 0;
    end_ = unread;
  }
  return {data_.get() + end_, capacity_ - end_};
}

Result<std::optional<ParsedFrame>> FrameBuffer::Next() {
  if (!version_) {
    if (const Status hello = TakeHello(); !hello) return Fail(hello.error());
    if (!version_) return std::nullopt;
  }
  const std::string_view unread = Unread();
  if (unread.size() < kFrameLengthBytes) return std::nullopt;
  const auto length = ParseFrameLength(unread.substr(0, kFrameLengthBytes));
  if (!length) return Fail(length.error());
  if (unread.size() < kFrameLengthBytes + *length) return std::nullopt;
  const auto frame = ParseFrame(unread.substr(kFrameLengthBytes, *length), spoken_);
  if (!frame) return Fail(frame.error());
  begin_ += kFrameLengthBytes + *length;
  return *frame;
}

Status FrameBuffer::TakeHello() {
  const std::string_view start = Unread().substr(0, kPeerMagic.size());
  if (start != kPeerMagic.substr(0, start.size())) return Fail(Errc::kCorrupt, "the first bytes are not a peer's");
  if (Unread().size() < kHelloBytes) return {};
  const Result<SpokenVersions> peers = ParseHello(Unread().substr(0, kHelloBytes));
  if (!peers) return Fail(peers.error());
  const Result<uint8_t> common = CommonVersion(spoken_, *peers);
  if (!common) return Fail(common.error());
  version_ = *common;
  begin_ += kHelloBytes;
  return {};
}

void FrameBuffer::Resize(size_t capacity) {
  const std::string_view unread = Unread();
  auto data = std::make_unique_for_overwrite<char[]>(capacity);
  if (!unread.empty()) std::memcpy(data.get(), unread.data(), unread.size());
  end_ = unread.size();
  begin_ = 0;
  data_ = std::move(data);
  capacity_ = capacity;
}

}  // namespace dynamo
