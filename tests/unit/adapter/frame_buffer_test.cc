#include "node/adapter/frame_buffer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace dynamo {
namespace {

void Feed(FrameBuffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto space = buffer.Space();
    ASSERT_FALSE(space.empty());
    const size_t size = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), size);
    buffer.Filled(size);
    bytes.remove_prefix(size);
  }
}

const Bytes kHello = EncodeHello(kSpokenVersions);

Bytes Frame(uint64_t call_id, std::string_view body) {
  Bytes out;
  FrameHeader header;
  header.call_id = call_id;
  AppendFrame(header, body, &out);
  return out;
}

RC_GTEST_PROP(FrameBuffer, GivesTheSameFramesHoweverTheStreamIsCut, ()) {
  const auto sizes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3000));
  std::string wire = kHello;
  for (size_t i = 0; i < sizes.size(); ++i) wire += Frame(i, std::string(sizes[i], static_cast<char>('a' + i % 26)));
  FrameBuffer buffer;
  size_t seen = 0;
  std::string_view rest = wire;
  while (!rest.empty()) {
    const auto piece = std::min<size_t>(*rc::gen::inRange<size_t>(1, 2000), rest.size());
    Feed(buffer, rest.substr(0, piece));
    rest.remove_prefix(piece);
    for (;;) {
      const auto frame = buffer.Next();
      RC_ASSERT(frame.has_value());
      if (!*frame) break;
      RC_ASSERT((*frame)->header.call_id == seen);
      RC_ASSERT((*frame)->body == std::string(sizes[seen], static_cast<char>('a' + seen % 26)));
      ++seen;
    }
  }
  RC_ASSERT(seen == sizes.size());
}

TEST(FrameBuffer, ALengthThatClaimsMuchAllocatesNothing) {
  FrameBuffer buffer;
  Feed(buffer, kHello + std::string("\x04\0\0\0", 4));  // 64 MiB to come, it says.
  const auto frame = buffer.Next();
  ASSERT_TRUE(frame.has_value());
  EXPECT_FALSE(frame->has_value());
  EXPECT_EQ(buffer.capacity(), FrameBuffer::kMinimum);
}

TEST(FrameBuffer, GrowsWithALargeFrameAndShrinksAfterIt) {
  FrameBuffer buffer;
  const std::string body(5 << 20, 'x');
  const Bytes wire = kHello + Frame(1, body);
  std::string_view rest = wire;
  while (!rest.empty()) {
    const size_t piece = std::min<size_t>(rest.size(), 100'000);
    Feed(buffer, rest.substr(0, piece));
    rest.remove_prefix(piece);
    EXPECT_LE(buffer.capacity(), std::max(2 * (wire.size() - rest.size()), FrameBuffer::kMinimum));
  }
  const auto frame = buffer.Next();
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_EQ((*frame)->body, body);
  buffer.Space();
  EXPECT_EQ(buffer.capacity(), FrameBuffer::kMinimum);
}

TEST(FrameBuffer, AStrayClientIsKnownByItsFirstByte) {
  FrameBuffer buffer;
  Feed(buffer, "G");
  const auto frame = buffer.Next();
  ASSERT_FALSE(frame.has_value());
  EXPECT_EQ(frame.error().code, Errc::kCorrupt);
}

TEST(FrameBuffer, TellsTheVersionInCommonAsSoonAsThePeerHasSaidHello) {
  FrameBuffer buffer({2, 5});
  const Bytes hello = EncodeHello({3, 4});
  Feed(buffer, hello.substr(0, kHelloBytes - 1));
  ASSERT_TRUE(buffer.Next().has_value());
  EXPECT_EQ(buffer.version(), std::nullopt);
  Feed(buffer, hello.substr(kHelloBytes - 1));
  ASSERT_TRUE(buffer.Next().has_value());
  EXPECT_EQ(buffer.version(), 4);
}

TEST(FrameBuffer, APeerWithoutACommonVersionIsRefusedByName) {
  FrameBuffer buffer({1, 2});
  Feed(buffer, EncodeHello({3, 4}));
  const auto frame = buffer.Next();
  ASSERT_FALSE(frame.has_value());
  EXPECT_EQ(frame.error().code, Errc::kUnsupported);
  EXPECT_NE(frame.error().message.find("versions 3 to 4, this node 1 to 2"), std::string::npos)
      << frame.error().message;
}

TEST(FrameBuffer, AnAlteredFrameIsAnError) {
  FrameBuffer buffer;
  Bytes wire = kHello + Frame(1, "body");
  wire.back() = 'Y';
  Feed(buffer, wire);
  const auto frame = buffer.Next();
  ASSERT_FALSE(frame.has_value());
  EXPECT_EQ(frame.error().code, Errc::kCorrupt);
}

TEST(FrameBuffer, AnImpossibleLengthIsAnErrorBeforeTheFrameComes) {
  FrameBuffer buffer;
  Feed(buffer, kHello + "\xff\xff\xff\xff");
  EXPECT_FALSE(buffer.Next().has_value());
}

}  // namespace
}  // namespace dynamo
