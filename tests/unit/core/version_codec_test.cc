// The encodings of objects and contents: canonical, and refused whole if one bit is wrong.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

#include "node/core/version/content_codec.h"
#include "node/core/version/object.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::AnyContent;
using testing::AnyObject;
using testing::AnyRichObject;
using testing::Bottom;
using testing::Delete;
using testing::Pick;
using testing::Put;

// A body that the writer writes, under a right checksum: what a broken or hostile
// peer could send.
Bytes Sealed(const std::function<void(ByteWriter&)>& write_body) {
  Bytes body;
  ByteWriter body_writer(&body);
  write_body(body_writer);
  Bytes out;
  ByteWriter writer(&out);
  writer.U8(1);
  writer.U64(Checksum64(body));
  writer.Raw(body);
  return out;
}

void WriteDot(ByteWriter& out, uint64_t actor, uint64_t counter) {
  out.U64(actor);
  out.Varint(counter);
}

void WriteTombstone(ByteWriter& out, uint64_t actor, uint64_t counter) {
  WriteDot(out, actor, counter);
  out.U8(1);
  out.Varint(99);
}

void ExpectCorrupt(std::string_view encoded) {
  const auto object = DecodeObject(encoded);
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, Errc::kCorrupt);
  const auto header = DecodeObjectHeader(encoded);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, Errc::kCorrupt);
  const Bytes good = EncodeObject(Mint({}, {}, Put({1}, "v")));
  EXPECT_FALSE(JoinEncoded(encoded, good));
  EXPECT_FALSE(JoinEncoded(good, encoded));
}

RC_GTEST_PROP(ObjectCodec, WhatIsEncodedIsDecoded, ()) {
  const Object object = *AnyRichObject();
  const Bytes encoded = EncodeObject(object);
  RC_ASSERT(DecodeObject(encoded) == object);
  RC_ASSERT(DecodeObjectHeader(encoded) == HeaderOf(object));
}

RC_GTEST_PROP(ObjectCodec, EqualBytesAreEqualObjects, ()) {
  const Object a = *AnyObject(), b = *AnyObject();
  RC_ASSERT((EncodeObject(a) == EncodeObject(b)) == (a == b));
  RC_ASSERT((DigestOf(EncodeObject(a)) == Hash128{}) == a.never_written());
}

RC_GTEST_PROP(ObjectCodec, EveryFlippedBitIsNoticed, ()) {
  const Bytes encoded = EncodeObject(*AnyRichObject());
  for (size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
    Bytes flipped = encoded;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    RC_ASSERT(!DecodeObject(flipped));
    RC_ASSERT(!DecodeObjectHeader(flipped));
  }
}

RC_GTEST_PROP(ObjectCodec, EveryCutAndEveryExtensionIsNoticed, ()) {
  const Bytes encoded = EncodeObject(*AnyRichObject());
  for (size_t size = 0; size < encoded.size(); ++size) RC_ASSERT(!DecodeObject(encoded.substr(0, size)));
  RC_ASSERT(!DecodeObject(encoded + '\0'));
  RC_ASSERT(!DecodeObject(encoded + encoded));
}

// Past the checksum the format itself must be canonical.
RC_GTEST_PROP(ObjectCodec, WhateverIsDecodedEncodesToTheSameBytes, ()) {
  Bytes body = EncodeObject(*AnyRichObject()).substr(9);
  for (uint64_t changes = Pick(1, 3); changes > 0; --changes) {
    const size_t at = Pick(0, body.size() - 1);
    switch (Pick(0, 2)) {
      case 0: body[at] = static_cast<char>(Pick(0, 255)); break;
      case 1: body.erase(at, 1); break;
      default: body.insert(at, 1, static_cast<char>(Pick(0, 2)));
    }
    if (body.empty()) body = "x";
  }
  const Bytes encoded = Sealed([&body](ByteWriter& out) { out.Raw(body); });
  const auto object = DecodeObject(encoded);
  const auto header = DecodeObjectHeader(encoded);
  RC_ASSERT(object.has_value() == header.has_value());
  if (!object) return;
  RC_ASSERT(EncodeObject(*object) == encoded);
  RC_ASSERT(HeaderOf(*object) == *header);
}

TEST(ObjectCodec, HasTheLayoutThatItSays) {
  const Object object = Mint({}, {}, Delete({7}));
  const Bytes expected = Sealed([](ByteWriter& out) {
    out.U8(1);
    out.Varint(1), WriteDot(out, 7, 1);
    out.Varint(1), WriteDot(out, 7, 1);
    out.U8(1);
    out.Varint(0);
  });
  EXPECT_EQ(ToHex(EncodeObject(object)), ToHex(expected));
}

TEST(ObjectCodec, RefusesSiblingsThatBreakTheInvariants) {
  const auto with_siblings = [](std::initializer_list<Dot> dots) {
    return Sealed([&dots](ByteWriter& out) {
      out.U8(1);
      out.Varint(2), WriteDot(out, 7, 5), WriteDot(out, 8, 5);
      out.Varint(dots.size());
      for (const Dot& dot : dots) WriteTombstone(out, dot.actor.value, dot.counter);
    });
  };
  EXPECT_TRUE(DecodeObject(with_siblings({{{7}, 4}, {{7}, 5}, {{8}, 1}})));
  ExpectCorrupt(with_siblings({{{8}, 1}, {{7}, 1}}));  // Not in order.
  ExpectCorrupt(with_siblings({{{7}, 1}, {{7}, 1}}));  // Twice.
  ExpectCorrupt(with_siblings({{{7}, 6}}));            // Above the clock.
  ExpectCorrupt(with_siblings({{{9}, 1}}));            // Of an actor the clock does not know.
  ExpectCorrupt(with_siblings({{{7}, 0}}));
  ExpectCorrupt(with_siblings({{{0}, 1}}));
}

TEST(ObjectCodec, RefusesClocksThatBreakTheInvariants) {
  const auto with_clock = [](std::initializer_list<Dot> dots) {
    return Sealed([&dots](ByteWriter& out) {
      out.U8(1);
      out.Varint(dots.size());
      for (const Dot& dot : dots) WriteDot(out, dot.actor.value, dot.counter);
      out.Varint(0);
    });
  };
  EXPECT_TRUE(DecodeObject(with_clock({{{7}, 1}, {{8}, kCounterMax}})));
  ExpectCorrupt(with_clock({{{8}, 1}, {{7}, 1}}));
  ExpectCorrupt(with_clock({{{7}, 1}, {{7}, 2}}));
  ExpectCorrupt(with_clock({{{7}, 0}}));
  ExpectCorrupt(with_clock({{{0}, 1}}));
  ExpectCorrupt(with_clock({{{7}, kCounterMax + 1}}));
  ExpectCorrupt(with_clock({{{7}, ~uint64_t{0}}}));
}

TEST(ObjectCodec, RefusesRegistersThatBreakTheInvariants) {
  const auto with_stamp = [](uint64_t stamp, std::initializer_list<Dot> dots) {
    return Sealed([stamp, &dots](ByteWriter& out) {
      out.U8(2);
      out.Varint(stamp);
      out.Varint(dots.size());
      for (const Dot& dot : dots) WriteTombstone(out, dot.actor.value, dot.counter);
    });
  };
  EXPECT_TRUE(DecodeObject(with_stamp(5, {{{7}, 5}})));
  EXPECT_EQ(DecodeObject(with_stamp(0, {})), Bottom(ConflictPolicy::kLastWriterWins));
  ExpectCorrupt(with_stamp(5, {}));
  ExpectCorrupt(with_stamp(0, {{{7}, 5}}));
  ExpectCorrupt(with_stamp(5, {{{7}, 5}, {{8}, 5}}));
  ExpectCorrupt(with_stamp(5, {{{0}, 5}}));
  ExpectCorrupt(with_stamp(5, {{{7}, 0}}));
  ExpectCorrupt(with_stamp(kCounterMax + 1, {{{7}, 5}}));
}

TEST(ObjectCodec, RefusesUnknownVersionsPoliciesAndFlags) {
  Bytes version = EncodeObject(Mint({}, {}, Put({1}, "v")));
  version[0] = 2;
  ExpectCorrupt(version);
  ExpectCorrupt(Sealed([](ByteWriter& out) { out.U8(3), out.Varint(0), out.Varint(0); }));
  ExpectCorrupt(Sealed([](ByteWriter& out) {
    out.U8(1);
    out.Varint(1), WriteDot(out, 7, 1);
    out.Varint(1), WriteDot(out, 7, 1);
    out.U8(2);
    out.Varint(0);
  }));
  ExpectCorrupt("");
}

TEST(ObjectCodec, AForgedCountAllocatesNothing) {
  for (const uint64_t count : {uint64_t{1} << 20, uint64_t{1} << 62, ~uint64_t{0}}) {
    ExpectCorrupt(Sealed([count](ByteWriter& out) { out.U8(1), out.Varint(count); }));
    ExpectCorrupt(Sealed([count](ByteWriter& out) { out.U8(1), out.Varint(0), out.Varint(count); }));
    ExpectCorrupt(Sealed([count](ByteWriter& out) {
      out.U8(1);
      out.Varint(1), WriteDot(out, 7, 1);
      out.Varint(1), WriteDot(out, 7, 1);
      out.U8(0), out.Varint(0);
      for (int i = 0; i < 4; ++i) out.String("");
      out.Varint(count);
    }));
  }
}

TEST(JoinOfEncodings, GivesTheDominatingOneAsItStands) {
  const Object base = Mint({}, {}, Put({1}, std::string(1000, 'b')));
  const Bytes old = EncodeObject(base);
  const Bytes next = EncodeObject(Mint(base, ContextOf(base), Put({2}, "n")));
  EXPECT_EQ(JoinEncoded(old, next), next);
  EXPECT_EQ(JoinEncoded(next, old), next);
  EXPECT_EQ(JoinEncoded(old, old), old);
}

RC_GTEST_PROP(JoinOfEncodings, IsAJoinToo, ()) {
  const Bytes a = EncodeObject(*AnyObject()), b = EncodeObject(*AnyObject()), c = EncodeObject(*AnyObject());
  RC_ASSERT((JoinEncoded(a, b) == JoinEncoded(b, a)));
  RC_ASSERT((JoinEncoded(a, a) == a));
  RC_ASSERT((JoinEncoded(*JoinEncoded(a, b), c) == JoinEncoded(a, *JoinEncoded(b, c))));
}

RC_GTEST_PROP(ContentCodec, WhatIsEncodedIsDecoded, ()) {
  const Content content = *AnyContent();
  const Bytes encoded = EncodeContent(content);
  RC_ASSERT(DecodeContent(encoded) == content);
  for (size_t size = 0; size < encoded.size(); ++size) RC_ASSERT(!DecodeContent(encoded.substr(0, size)));
  RC_ASSERT(!DecodeContent(encoded + '\0'));
}

RC_GTEST_PROP(ContentCodec, SkippingRefusesExactlyWhatReadingRefuses, ()) {
  Bytes encoded;
  ByteWriter writer(&encoded);
  WriteContent(*AnyContent(), writer);
  encoded[Pick(0, encoded.size() - 1)] = static_cast<char>(Pick(0, 255));
  ByteReader read(encoded), skipped(encoded);
  ReadContent(read);
  SkipContent(skipped);
  RC_ASSERT(read.ok() == skipped.ok());
  RC_ASSERT(read.remaining() == skipped.remaining());
}

TEST(ContentCodec, RefusesAnotherVersion) {
  Bytes encoded = EncodeContent({});
  encoded[0] = 2;
  EXPECT_EQ(DecodeContent(encoded).error().code, Errc::kCorrupt);
}

}  // namespace
}  // namespace dynamo
