#include "node/adapter/host_port.h"

#include <gtest/gtest.h>

namespace dynamo {
namespace {

TEST(HostPort, TakesNamesAddressesAndBracketedIpv6) {
  EXPECT_EQ(*ParseHostPort("127.0.0.1:8099"), (HostPort{"127.0.0.1", 8099}));
  EXPECT_EQ(*ParseHostPort("node-0.dynamo.svc:0"), (HostPort{"node-0.dynamo.svc", 0}));
  EXPECT_EQ(*ParseHostPort("[::1]:65535"), (HostPort{"::1", 65535}));
}

TEST(HostPort, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "host", ":80", "host:", "host:x", "host:80x", "host:-1", "host:65536", "::1:80", "[]:80",
                           "[::1:80", "a b:80", "http://h:80"}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Errc::kInvalidArgument);
    EXPECT_NE(parsed.error().message.find(std::string("\"") + text + "\""), std::string::npos);
  }
}

TEST(HostPort, ComesBackAsItWasWritten) {
  for (const char* text : {"127.0.0.1:8099", "localhost:1", "[2001:db8::1]:8099"}) {
    EXPECT_EQ(ToString(*ParseHostPort(text)), text);
  }
}

}  // namespace
}  // namespace dynamo
