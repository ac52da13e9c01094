#include "tools/bench/driver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

namespace dynamo::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint8_t kErrorResponse = 0;

uint64_t MicrosBetween(Clock::time_point from, Clock::time_point to) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(to - from).count());
}

struct Request {
  bool read = false;
  std::string frame;
  Clock::time_point due;
};

// One connection with at most one request under way.
struct Client {
  int socket = -1;
  std::string in;
  std::optional<Request> request;
};

Result<int> Dial(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr) != 1) {
    return Fail(Errc::kInvalidArgument, fmt::format("'{}' is no numeric IPv4 address", endpoint.host));
  }
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const std::string why = std::strerror(errno);
    if (socket >= 0) ::close(socket);
    return Fail(Errc::kUnavailable, fmt::format("cannot connect to {}:{}: {}", endpoint.host, endpoint.port, why));
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

}  // namespace

struct Driver::State {
  int epoll = -1;
  std::vector<Client> clients;
  std::vector<size_t> idle;
  // Of the run under way.
  Tally tally;
  std::function<std::optional<Request>()> source;

  ~State() {
    for (const Client& client : clients) ::close(client.socket);
    if (epoll >= 0) ::close(epoll);
  }

  Status Send(size_t index, Request request) {
    Client& client = clients[index];
    client.request = std::move(request);
    const std::string& frame = client.request->frame;
    size_t sent = 0;
    while (sent < frame.size()) {
      const ssize_t wrote = ::send(client.socket, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
      if (wrote < 0) return Fail(Errc::kUnavailable, fmt::format("connection lost: {}", std::strerror(errno)));
      sent += static_cast<size_t>(wrote);
    }
    return {};
  }

  Status OnReadable(size_t index) {
    Client& client = clients[index];
    char chunk[65536];
    const ssize_t got = ::recv(client.socket, chunk, sizeof chunk, 0);
    if (got <= 0) return Fail(Errc::kUnavailable, "the server closed a connection");
    client.in.append(chunk, static_cast<size_t>(got));
    if (client.in.size() < 5) return {};
    uint32_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>(client.in[static_cast<size_t>(i)]);
    if (client.in.size() < 4 + length) return {};
    Finish(client, length);
    idle.push_back(index);
    return {};
  }

  void Finish(Client& client, uint32_t length) {
    const uint64_t us = MicrosBetween(client.request->due, Clock::now());
    if (static_cast<uint8_t>(client.in[4]) == kErrorResponse) {
      ++tally.errors;
      if (tally.first_error.empty()) tally.first_error = client.in.substr(5, length - 1);
    } else {
      (client.request->read ? tally.reads : tally.writes).Record(us);
    }
    client.in.erase(0, 4 + length);
    client.request.reset();
  }

  bool busy() const { return idle.size() < clients.size(); }

  // Gives idle connections what is to be sent.
  Status Feed() {
    while (!idle.empty()) {
      std::optional<Request> next = source();
      if (!next) return {};
      const size_t index = idle.back();
      idle.pop_back();
      if (auto sent = Send(index, std::move(*next)); !sent) return sent;
    }
    return {};
  }

  // Until `done` and nothing is under way.
  Result<Tally> Drive(const std::function<bool()>& done, bool paced, const Progress& progress) {
    tally = {};
    const auto start = Clock::now();
    auto next_report = start + std::chrono::seconds(1);
    uint64_t reported = 0;
    while (!done() || busy()) {
      if (!done()) {
        if (auto fed = Feed(); !fed) return Fail(fed.error());
      }
      epoll_event events[256];
      // An open loop wakes in time for the next arrival.
      const int ready = ::epoll_wait(epoll, events, 256, paced ? 0 : 100);
      for (int i = 0; i < ready; ++i) {
        if (auto read = OnReadable(events[i].data.u64); !read) return Fail(read.error());
      }
      if (Clock::now() >= next_report) {
        const uint64_t total = tally.operations();
        progress(total, total - reported);
        reported = total;
        next_report += std::chrono::seconds(1);
      }
    }
    tally.seconds = static_cast<double>(MicrosBetween(start, Clock::now())) * 1e-6;
    return std::move(tally);
  }
};

Driver::Driver(std::unique_ptr<State> state) : state_(std::move(state)) {}
Driver::~Driver() = default;

Result<std::unique_ptr<Driver>> Driver::Connect(const std::vector<Endpoint>& endpoints, int connections) {
  auto state = std::make_unique<State>();
  state->epoll = ::epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < connections; ++i) {
    const auto socket = Dial(endpoints[static_cast<size_t>(i) % endpoints.size()]);
    if (!socket) return Fail(socket.error());
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = state->clients.size();
    ::epoll_ctl(state->epoll, EPOLL_CTL_ADD, *socket, &event);
    state->idle.push_back(state->clients.size());
    state->clients.push_back({*socket, {}, std::nullopt});
  }
  return std::unique_ptr<Driver>(new Driver(std::move(state)));
}

Result<Tally> Driver::Load(Workload& workload, const Progress& progress) {
  uint64_t next = 0;
  const uint64_t keys = workload.config().keys;
  state_->source = [&]() -> std::optional<Request> {
    if (next == keys) return std::nullopt;
    return Request{false, workload.PutFrame(next++), Clock::now()};
  };
  return state_->Drive([&] { return next == keys; }, /*paced=*/false, progress);
}

Result<Tally> Driver::Run(Workload& workload, double seconds, double rate_per_second, const Progress& progress) {
  const auto start = Clock::now();
  const auto end = start + std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6));
  uint64_t arrived = 0;
  const auto make = [&workload](Clock::time_point due) {
    const Workload::Operation operation = workload.Next();
    return Request{operation.read, operation.read ? workload.GetFrame(operation.key) : workload.PutFrame(operation.key),
                   due};
  };
  state_->source = [&, rate_per_second]() -> std::optional<Request> {
    if (rate_per_second == 0) return make(Clock::now());
    const auto due =
        start + std::chrono::microseconds(static_cast<int64_t>(1e6 * static_cast<double>(arrived) / rate_per_second));
    if (due > Clock::now()) return std::nullopt;
    ++arrived;
    return make(due);
  };
  return state_->Drive([&] { return Clock::now() >= end; }, /*paced=*/rate_per_second > 0, progress);
}

}  // namespace dynamo::bench
