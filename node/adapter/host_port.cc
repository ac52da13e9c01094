#include "node/adapter/host_port.h"

#include <fmt/format.h>

#include <charconv>

namespace dynamo {

Result<HostPort> ParseHostPort(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return Fail(Errc::kInvalidArgument, fmt::format("address \"{}\": {}; want host:port", text, why));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) return refuse("has no host");
  if (!bracketed && host.find(':') != std::string_view::npos) return refuse("an IPv6 address needs brackets");
  if (host.find_first_of("[] \t/") != std::string_view::npos) return refuse("the host is malformed");
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size())
    return refuse("the port is no number of 0 to 65535");
  return HostPort{std::string(host), port};
}

std::string ToString(const HostPort& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return brackets ? fmt::format("[{}]:{}", address.host, address.port)
                  : fmt::format("{}:{}", address.host, address.port);
}

}  // namespace dynamo
