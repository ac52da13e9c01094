#include "node/protocol/frame.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dynamo {
namespace {

FrameHeader AnyHeader() {
  FrameHeader header;
  header.version = *rc::gen::inRange<uint8_t>(kSpokenVersions.oldest, kSpokenVersions.newest + 1);
  header.kind = *rc::gen::element(FrameKind::kRequest, FrameKind::kResponse, FrameKind::kRefused);
  header.call_id = *rc::gen::arbitrary<uint64_t>();
  header.from = NodeId{*rc::gen::arbitrary<uint64_t>()};
  header.to = NodeId{*rc::gen::arbitrary<uint64_t>()};
  header.cluster_tag = *rc::gen::arbitrary<uint64_t>();
  header.timeout_ms = *rc::gen::arbitrary<uint32_t>();
  return header;
}

RC_GTEST_PROP(Frame, ComesBackAsItWasWritten, ()) {
  const FrameHeader header = AnyHeader();
  const auto body = *rc::gen::arbitrary<std::string>();
  Bytes wire;
  AppendFrame(header, body, &wire);
  const std::string_view view = wire;
  const auto length = ParseFrameLength(view.substr(0, kFrameLengthBytes));
  RC_ASSERT(length.has_value());
  RC_ASSERT(*length == wire.size() - kFrameLengthBytes);
  const auto frame = ParseFrame(view.substr(kFrameLengthBytes));
  RC_ASSERT(frame.has_value());
  RC_ASSERT(frame->header == header);
  RC_ASSERT(frame->body == body);
}

RC_GTEST_PROP(Frame, AnyFlippedBitIsFound, ()) {
  Bytes wire;
  AppendFrame(AnyHeader(), *rc::gen::arbitrary<std::string>(), &wire);
  const auto at = *rc::gen::inRange(kFrameLengthBytes, wire.size());
  wire[at] = static_cast<char>(wire[at] ^ (1 << *rc::gen::inRange(0, 8)));
  RC_ASSERT(!ParseFrame(std::string_view(wire).substr(kFrameLengthBytes)).has_value());
}

RC_GTEST_PROP(Frame, ACutFrameIsRefused, ()) {
  Bytes wire;
  AppendFrame(AnyHeader(), *rc::gen::arbitrary<std::string>(), &wire);
  const auto kept = *rc::gen::inRange(kFrameLengthBytes, wire.size());
  RC_ASSERT(!ParseFrame(std::string_view(wire).substr(kFrameLengthBytes, kept - kFrameLengthBytes)).has_value());
}

TEST(Frame, ALengthOutOfBoundsIsRefused) {
  EXPECT_FALSE(ParseFrameLength(std::string("\0\0\0\x2d", 4)).has_value());  // One short of a header.
  EXPECT_TRUE(ParseFrameLength(std::string("\0\0\0\x2e", 4)).has_value());
  EXPECT_TRUE(ParseFrameLength(std::string("\x04\0\0\0", 4)).has_value());
  EXPECT_FALSE(ParseFrameLength(std::string("\x04\0\0\x01", 4)).has_value());
  EXPECT_FALSE(ParseFrameLength(std::string("\x7f\xff\xff\xff", 4)).has_value());
  EXPECT_FALSE(ParseFrameLength("").has_value());
}

TEST(Frame, AnotherVersionIsSaidToBeUnsupported) {
  Bytes wire;
  FrameHeader header;
  header.version = 5;
  AppendFrame(header, "body", &wire);
  const std::string_view frame = std::string_view(wire).substr(kFrameLengthBytes);
  for (const SpokenVersions spoken : {SpokenVersions{3, 4}, SpokenVersions{6, 9}}) {
    const auto parsed = ParseFrame(frame, spoken);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::kUnsupported);
  }
  EXPECT_TRUE(ParseFrame(frame, {4, 6}).has_value());
}

}  // namespace
}  // namespace dynamo
