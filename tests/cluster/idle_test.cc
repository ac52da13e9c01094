// Thousands of clients that hold a connection and say nothing: they cost the node
// little memory and the busy clients nothing.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "tests/cluster/real_cluster.h"
#include "tests/lib/test_form.h"

namespace dynamo::cluster {
namespace {

constexpr size_t kIdleWanted = 5000;
constexpr size_t kIdleUnderSanitizers = 500;
constexpr size_t kDescriptorsForOthers = 256;  // Of this test and of a node besides its clients.
constexpr double kIdleBytesMax = 32 * 1024;
constexpr std::chrono::seconds kLoadTime{4};

bool UnderSanitizers() { return FormOfThisRun() == TestForm::kSmoke; }

// Raises what this process, and the nodes it starts, may open; as many clients as
// then fit.
size_t ClientsThatFit() {
  rlimit limit{};
  DYNAMO_CHECK(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2 * kIdleWanted);
  DYNAMO_CHECK(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  DYNAMO_CHECK(limit.rlim_cur > 2 * kDescriptorsForOthers);
  return std::min(UnderSanitizers() ? kIdleUnderSanitizers : kIdleWanted, limit.rlim_cur - kDescriptorsForOthers);
}

uint64_t ResidentBytes(pid_t process) {
  uint64_t all = 0, resident = 0;
  std::ifstream(fmt::format("/proc/{}/statm", process)) >> all >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

// A client that asked once, was answered, and keeps its connection.
class IdleClient {
 public:
  explicit IdleClient(const std::string& address) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(8098);
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  IdleClient(IdleClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(std::exchange(other.connected_, false)) {}
  IdleClient(const IdleClient&) = delete;
  ~IdleClient() {
    if (socket_ >= 0) ::close(socket_);
  }

  bool Ping() {
    static constexpr std::string_view kRequest = "GET /ping HTTP/1.1\r\nHost: node\r\n\r\n";
    if (!connected_ || ::send(socket_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) return false;
    std::string answer;
    char chunk[1024];
    while (!answer.ends_with("OK")) {
      const ssize_t got = ::recv(socket_, chunk, sizeof chunk, 0);
      if (got <= 0) return false;
      answer.append(chunk, static_cast<size_t>(got));
    }
    return true;
  }

 private:
  int socket_;
  bool connected_ = false;
};

struct LoadResult {
  uint64_t asked = 0, answered = 0;
  double p99_ms = 0;
};

// One client that puts and gets, one after the other.
LoadResult Ask(const NodeProcess& node) {
  httplib::Client http("http://" + node.http());
  http.set_keep_alive(true);
  http.set_tcp_nodelay(true);
  LoadResult result;
  std::vector<double> took;
  const auto end = std::chrono::steady_clock::now() + kLoadTime;
  while (std::chrono::steady_clock::now() < end) {
    const std::string path = fmt::format("/types/lww/buckets/idle/keys/{}", result.asked / 2 % 100);
    const auto began = std::chrono::steady_clock::now();
    const auto answer = result.asked % 2 == 0 ? http.Put(path, "value", "text/plain") : http.Get(path);
    took.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
    ++result.asked;
    result.answered += answer && answer->status / 100 == 2;
  }
  std::sort(took.begin(), took.end());
  result.p99_ms = took[took.size() * 99 / 100];
  return result;
}

TEST(Idle, ThousandsOfSilentClientsCostLittleMemoryAndNoAnswer) {
  const size_t clients = ClientsThatFit();
  RealCluster cluster(24, 3);
  cluster.StartAll();
  const Status created = cluster.Create();
  ASSERT_TRUE(created.has_value()) << created.error().message;
  NodeProcess& node = cluster.node(0);

  Ask(node);  // Warms caches and the allocator.
  const LoadResult alone = Ask(node);
  const uint64_t before = ResidentBytes(node.pid());
  std::vector<IdleClient> idle;
  for (size_t i = 0; i < clients; ++i) {
    idle.emplace_back(node.address());
    ASSERT_TRUE(idle.back().Ping()) << "client " << i;
  }
  const double each =
      (static_cast<double>(ResidentBytes(node.pid())) - static_cast<double>(before)) / static_cast<double>(clients);
  const LoadResult among = Ask(node);
  std::cout << fmt::format("{} idle clients, {:.0f} bytes each\np99 without them {:.2f} ms, with them {:.2f} ms\n",
                           clients, each, alone.p99_ms, among.p99_ms);

  EXPECT_EQ(alone.answered, alone.asked);
  EXPECT_EQ(among.answered, among.asked);
  EXPECT_GT(among.asked, 100u);
  if (!UnderSanitizers()) {
    EXPECT_LT(each, kIdleBytesMax);
  }
  for (size_t i = 0; i < clients; i += clients / 50) EXPECT_TRUE(idle[i].Ping()) << "client " << i;
}

}  // namespace
}  // namespace dynamo::cluster
