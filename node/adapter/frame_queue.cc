#include "node/adapter/frame_queue.h"

#include <utility>

#include "common/base/check.h"

namespace dynamo {

void FrameQueue::Append(FrameHeader header, SharedBytes body) {
  appended_ += kFrameLengthBytes + kFrameHeaderBytes + body->size();
  if (version_) return Write(header, std::move(body));
  early_.emplace_back(header, std::move(body));
}

void FrameQueue::SetVersion(uint8_t version) {
  DYNAMO_CHECK(!version_);
  version_ = version;
  for (auto& [header, body] : std::exchange(early_, {})) Write(header, std::move(body));
}

void FrameQueue::Write(FrameHeader header, SharedBytes body) {
  header.version = *version_;
  Bytes& tail = Tail();
  if (body->size() < kShareBytesMin) {
    AppendFrame(header, *body, &tail);
  } else {
    AppendFrameHeader(header, *body, &tail);
    chunks_.push_back({{}, std::move(body)});
  }
}

void FrameQueue::AppendRaw(std::string_view bytes) {
  Tail().append(bytes);
  appended_ += bytes.size();
}

void FrameQueue::Buffers(std::vector<asio::const_buffer>* out) const {
  out->clear();
  size_t skip = front_offset_;
  for (const Chunk& chunk : chunks_) {
    if (out->size() == kBuffersMax) break;
    const std::string_view bytes = chunk.view().substr(std::exchange(skip, 0));
    out->emplace_back(bytes.data(), bytes.size());
  }
}

void FrameQueue::Consume(size_t size) {
  DYNAMO_CHECK(size <= waiting());
  consumed_ += size;
  front_offset_ += size;
  while (!chunks_.empty() && front_offset_ >= chunks_.front().view().size()) {
    Chunk& front = chunks_.front();
    front_offset_ -= front.view().size();
    if (!front.shared && front.own.capacity() <= kSpareMax) spare_ = std::move(front.own);
    chunks_.pop_front();
  }
}

Bytes& FrameQueue::Tail() {
  if (chunks_.empty() || chunks_.back().shared) {
    spare_.clear();
    chunks_.push_back({std::exchange(spare_, {}), nullptr});
  }
  return chunks_.back().own;
}

}  // namespace dynamo
