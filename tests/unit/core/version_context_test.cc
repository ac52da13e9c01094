#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "node/core/version/context.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::AnyBytes;
using testing::AnyVector;
using testing::Pick;

const ContextKey kOld{1, "the old secret", false};
const ContextKey kCurrent{2, "the secret that signs", true};
const ContextKey kNew{3, "the secret to come", false};

const ContextSigner& Signer() {
  static const ContextSigner signer({kOld, kCurrent, kNew});
  return signer;
}

rc::Gen<CausalContext> AnyContext() {
  return rc::gen::exec([] {
    CausalContext context;
    if (Pick(0, 1) == 0) context.clock = *AnyVector();
    if (Pick(0, 1) == 0) context.stamp = Pick(0, kCounterMax - 1);
    return context;
  });
}

bool IsRefused(const ContextSigner& signer, std::string_view token, std::string_view storage_key) {
  const auto context = signer.Verify(token, storage_key);
  return !context && context.error().code == Errc::kBadContext;
}

// A token whose tag is right, whatever its body is.
Bytes Signed(Bytes body, const std::string& storage_key) {
  Bytes text;
  ByteWriter(&text).String(storage_key);
  const MacTag tag = MacKey(kCurrent.secret).Sign(text + body);
  body.append(tag.begin(), tag.end());
  return body;
}

RC_GTEST_PROP(Context, WhatIsSignedVerifies, ()) {
  const CausalContext context = *AnyContext();
  const std::string key = AnyBytes();
  RC_ASSERT(Signer().Verify(*Signer().Sign(context, key), key) == context);
}

RC_GTEST_PROP(Context, EqualContextsHaveEqualTokens, ()) {
  const CausalContext a = *AnyContext(), b = *AnyContext();
  RC_ASSERT((*Signer().Sign(a, "k") == *Signer().Sign(b, "k")) == (a == b));
}

RC_GTEST_PROP(Context, EveryFlippedBitIsRefused, ()) {
  const Bytes token = *Signer().Sign(*AnyContext(), "k");
  for (size_t bit = 0; bit < 8 * token.size(); ++bit) {
    Bytes flipped = token;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    RC_ASSERT(IsRefused(Signer(), flipped, "k"));
  }
}

RC_GTEST_PROP(Context, EveryCutAndEveryExtensionIsRefused, ()) {
  const Bytes token = *Signer().Sign(*AnyContext(), "k");
  for (size_t size = 1; size < token.size(); ++size) RC_ASSERT(IsRefused(Signer(), token.substr(0, size), "k"));
  RC_ASSERT(IsRefused(Signer(), token + AnyBytes() + '\0', "k"));
}

RC_GTEST_PROP(Context, IsGoodForItsKeyAlone, ()) {
  const std::string key = AnyBytes();
  const std::string other = *rc::gen::distinctFrom(key);
  const Bytes token = *Signer().Sign(*AnyContext(), key);
  RC_ASSERT(IsRefused(Signer(), token, other));
  RC_ASSERT(IsRefused(Signer(), token, key + '\0'));
}

RC_GTEST_PROP(Context, IsRefusedByAnotherClustersKeys, ()) {
  const ContextSigner stranger({{kCurrent.id, "another secret", true}});
  RC_ASSERT(IsRefused(stranger, *Signer().Sign(*AnyContext(), "k"), "k"));
}

RC_GTEST_PROP(Context, ArbitraryBytesAreRefused, ()) {
  const Bytes token = *rc::gen::nonEmpty<std::string>();
  RC_ASSERT(IsRefused(Signer(), token, "k"));
  RC_ASSERT(IsRefused(Signer(), Bytes("\1\0\0\0\2", 5) + token, "k"));
}

TEST(Context, NoTokenIsAnEmptyContext) {
  EXPECT_EQ(Signer().Verify("", "k"), CausalContext());
  EXPECT_EQ(Signer().Verify(*Signer().Sign({}, "k"), "k"), CausalContext());
}

TEST(Context, AKeyMayBeRolledWithoutRefusingATokenInFlight) {
  CausalContext context;
  context.clock.Add({{5}, 3});
  const ContextSigner before({{1, "a", true}});
  const ContextSigner spreading({{1, "a", true}, {2, "b", false}});
  const ContextSigner signing({{1, "a", true}, {2, "b", true}});
  const ContextSigner retired({{2, "b", true}});

  const Bytes of_a = *before.Sign(context, "k");
  EXPECT_EQ(*spreading.Sign(context, "k"), of_a) << "a key that only verifies does not sign";
  EXPECT_EQ(signing.Verify(of_a, "k"), context);
  const Bytes of_b = *signing.Sign(context, "k");
  EXPECT_NE(of_b, of_a) << "of two that sign, the higher id does";
  EXPECT_EQ(spreading.Verify(of_b, "k"), context) << "a member that is behind verifies it already";
  EXPECT_EQ(retired.Verify(of_b, "k"), context);
  EXPECT_TRUE(IsRefused(retired, of_a, "k"));
  EXPECT_TRUE(IsRefused(before, of_b, "k"));
}

TEST(Context, TheOrderOfTheKeysDoesNotMatter) {
  const ContextSigner one({{1, "a", true}, {7, "b", true}, {4, "c", true}});
  const ContextSigner other({{7, "b", true}, {4, "c", true}, {1, "a", true}});
  EXPECT_EQ(*one.Sign({}, "k"), *other.Sign({}, "k"));
}

TEST(ContextDeathTest, ARingWithoutAKeyThatSignsIsABug) {
  EXPECT_DEATH(ContextSigner({kOld, kNew}), "signs");
  EXPECT_DEATH(ContextSigner({}), "signs");
}

TEST(Context, IsNeverSignedSoLargeThatItWouldBeRefused) {
  const auto of_actors = [](uint64_t actors) {
    CausalContext context;
    for (uint64_t actor = 1; actor <= actors; ++actor) context.clock.Add({ActorId{actor}, 1});
    return context;
  };
  uint64_t fits = 1, too_many = 1 << 16;
  while (too_many - fits > 1) {
    const uint64_t actors = (fits + too_many) / 2;
    (Signer().Sign(of_actors(actors), "k") ? fits : too_many) = actors;
  }
  const Bytes largest = *Signer().Sign(of_actors(fits), "k");
  EXPECT_GT(largest.size(), ContextSigner::kContextBytesMax - 32);
  EXPECT_EQ(Signer().Verify(largest, "k"), of_actors(fits));
  EXPECT_EQ(Signer().Sign(of_actors(too_many), "k").error().code, Errc::kTooLarge);
}

TEST(Context, IsRefusedAboveTheSizeLimitBeforeAnythingIsComputed) {
  const Bytes huge(ContextSigner::kContextBytesMax + 1, '\1');
  const auto context = Signer().Verify(huge, "k");
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, Errc::kBadContext);
  EXPECT_NE(context.error().message.find("too large"), std::string::npos);
}

// Even with the right tag, as a bug of ours would make it.
TEST(Context, IsRefusedWhenItIsNotCanonical) {
  const auto body = [](uint64_t actor, uint64_t counter, uint64_t stamp) {
    Bytes out;
    ByteWriter writer(&out);
    writer.U8(1);
    writer.U32(kCurrent.id);
    writer.Varint(1), writer.U64(actor), writer.Varint(counter);
    writer.Varint(stamp);
    return out;
  };
  EXPECT_TRUE(Signer().Verify(Signed(body(7, kCounterMax, kCounterMax), "k"), "k"));
  for (const Bytes& bad : {body(7, uint64_t{1} << 63, 0), body(7, ~uint64_t{0}, 0), body(7, 1, uint64_t{1} << 63),
                           body(7, 0, 0), body(0, 1, 0), body(7, 1, 0) + "x"}) {
    EXPECT_TRUE(IsRefused(Signer(), Signed(bad, "k"), "k")) << ToHex(bad);
  }
  Bytes million;
  ByteWriter writer(&million);
  writer.U8(1), writer.U32(kCurrent.id), writer.Varint(1'000'000);
  EXPECT_TRUE(IsRefused(Signer(), Signed(million, "k"), "k"));
}

}  // namespace
}  // namespace dynamo
