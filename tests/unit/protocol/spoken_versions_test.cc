#include "node/protocol/spoken_versions.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace dynamo {
namespace {

SpokenVersions AnyRange() {
  const auto one = *rc::gen::inRange<int>(1, 256), other = *rc::gen::inRange<int>(1, 256);
  return {static_cast<uint8_t>(std::min(one, other)), static_cast<uint8_t>(std::max(one, other))};
}

RC_GTEST_PROP(SpokenVersions, BothSidesChooseTheNewestThatBothSpeak, ()) {
  const SpokenVersions ours = AnyRange(), peers = AnyRange();
  const Result<uint8_t> common = CommonVersion(ours, peers);
  const Result<uint8_t> as_seen_there = CommonVersion(peers, ours);
  RC_ASSERT(common.has_value() == as_seen_there.has_value());
  const auto both = [&](int version) {
    return version >= ours.oldest && version <= ours.newest && version >= peers.oldest && version <= peers.newest;
  };
  int newest = 0;
  for (int version = 1; version < 256; ++version) newest = both(version) ? version : newest;
  RC_ASSERT(common.has_value() == (newest > 0));
  if (common) RC_ASSERT(*common == newest && *as_seen_there == newest);
}

RC_GTEST_PROP(SpokenVersions, AHelloComesBackAsItWasSaid, ()) {
  const SpokenVersions said = AnyRange();
  const Bytes hello = EncodeHello(said);
  RC_ASSERT(hello.size() == kHelloBytes);
  const Result<SpokenVersions> heard = ParseHello(hello);
  RC_ASSERT(heard.has_value());
  RC_ASSERT(*heard == said);
}

TEST(SpokenVersions, AHelloThatIsNoneIsRefused) {
  const Bytes hello = EncodeHello({1, 2});
  EXPECT_FALSE(ParseHello(hello.substr(0, kHelloBytes - 1)).has_value());
  EXPECT_FALSE(ParseHello(hello + "x").has_value());
  EXPECT_FALSE(ParseHello("GET / ").has_value());
  EXPECT_FALSE(ParseHello(EncodeHello({0, 2})).has_value());
  EXPECT_FALSE(ParseHello(EncodeHello({3, 2})).has_value());
}

TEST(SpokenVersions, NeighbouringReleasesCanBeMixed) {
  EXPECT_LE(kSpokenVersions.oldest, kSpokenVersions.newest);
  EXPECT_TRUE(CommonVersion(kSpokenVersions, {kSpokenVersions.newest, 255}).has_value());
}

}  // namespace
}  // namespace dynamo
