#include "node/adapter/frame_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace dynamo {
namespace {

SharedBytes Shared(std::string text) { return std::make_shared<const Bytes>(std::move(text)); }

std::string Waiting(const FrameQueue& queue) {
  std::vector<asio::const_buffer> buffers;
  queue.Buffers(&buffers);
  std::string out;
  for (const auto& buffer : buffers) out.append(static_cast<const char*>(buffer.data()), buffer.size());
  return out;
}

RC_GTEST_PROP(FrameQueue, WritesWhatWasAppendedHoweverItIsConsumed, ()) {
  FrameQueue queue;
  std::string expected("hello"), written;
  queue.AppendRaw("hello");
  queue.SetVersion(1);
  const auto sizes =
      *rc::gen::container<std::vector<int>>(rc::gen::oneOf(rc::gen::inRange(0, 200), rc::gen::inRange(8000, 20'000)));
  for (const int size : sizes) {
    FrameHeader header;
    header.call_id = static_cast<uint64_t>(size);
    const std::string body(size, static_cast<char>('a' + size % 26));
    AppendFrame(header, body, &expected);
    queue.Append(header, Shared(body));
    RC_ASSERT(queue.appended() == expected.size());
    const std::string front = Waiting(queue);
    const auto taken = *rc::gen::inRange<size_t>(0, front.size() + 1);
    written += front.substr(0, taken);
    queue.Consume(taken);
  }
  while (!queue.empty()) {
    const std::string front = Waiting(queue);
    RC_ASSERT(!front.empty());
    written += front;
    queue.Consume(front.size());
  }
  RC_ASSERT(written == expected);
  RC_ASSERT(queue.consumed() == queue.appended());
}

TEST(FrameQueue, ALargeBodyIsSharedAndASmallOneIsNotKept) {
  FrameQueue queue;
  queue.SetVersion(1);
  const SharedBytes large = Shared(std::string(100'000, 'x')), small = Shared("x");
  queue.Append({}, large);
  queue.Append({}, small);
  EXPECT_EQ(large.use_count(), 2);
  EXPECT_EQ(small.use_count(), 1);
  queue.Consume(queue.waiting());
  EXPECT_EQ(large.use_count(), 1);
}

TEST(FrameQueue, ManySmallFramesAreOneBuffer) {
  FrameQueue queue;
  queue.SetVersion(1);
  for (int i = 0; i < 100; ++i) queue.Append({}, Shared("small"));
  std::vector<asio::const_buffer> buffers;
  queue.Buffers(&buffers);
  EXPECT_EQ(buffers.size(), 1u);
}

TEST(FrameQueue, FramesWaitForTheVersionAndAreCountedMeanwhile) {
  FrameQueue queue;
  queue.AppendRaw("hello");
  Bytes expected = "hello";
  for (const char* body : {"one", "two"}) {
    FrameHeader header;
    header.version = 7;
    AppendFrame(header, body, &expected);
    queue.Append({}, Shared(body));
  }
  EXPECT_EQ(queue.waiting(), expected.size());
  EXPECT_EQ(Waiting(queue), "hello");
  queue.Consume(5);
  EXPECT_TRUE(queue.empty());
  queue.SetVersion(7);
  EXPECT_EQ("hello" + Waiting(queue), expected);
}

}  // namespace
}  // namespace dynamo
