// packets DELAY_MS LOSS_PERCENT: takes the packets of netfilter's queue 0 in this
// network namespace, loses some, and lets the others go on late by half to one and a
// half times the delay. What a kernel without netem needs for that.
#include <arpa/inet.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "common/base/random.h"

namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr int kReceiveBytes = 8 << 20;

class Disturber {
 public:
  Disturber(int64_t delay_ms, int64_t loss_percent)
      : delay_us_(delay_ms * 1000), loss_(static_cast<double>(loss_percent) / 100) {}

  void Take(nfq_q_handle* queue, uint32_t packet) {
    if (rng_.Chance(loss_)) {
      nfq_set_verdict(queue, packet, NF_DROP, 0, nullptr);
    } else {
      waiting_.emplace(SteadyClock::now() + microseconds(rng_.Between(delay_us_ / 2, delay_us_ * 3 / 2)), packet);
    }
  }

  // Milliseconds until the next is due; -1: none waits.
  int Release(nfq_q_handle* queue) {
    const auto now = SteadyClock::now();
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      nfq_set_verdict(queue, waiting_.begin()->second, NF_ACCEPT, 0, nullptr);
      waiting_.erase(waiting_.begin());
    }
    if (waiting_.empty()) return -1;
    return static_cast<int>((waiting_.begin()->first - now) / microseconds(1000)) + 1;
  }

 private:
  int64_t delay_us_;
  double loss_;
  dynamo::Rng rng_{1};
  std::multimap<SteadyClock::time_point, uint32_t> waiting_;
};

int OnPacket(nfq_q_handle* queue, nfgenmsg*, nfq_data* data, void* disturber) {
  const nfqnl_msg_packet_hdr* const header = nfq_get_msg_packet_hdr(data);
  if (header != nullptr) static_cast<Disturber*>(disturber)->Take(queue, ntohl(header->packet_id));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: packets DELAY_MS LOSS_PERCENT\n");
    return 2;
  }
  Disturber disturber(std::atoll(argv[1]), std::atoll(argv[2]));
  nfq_handle* const library = nfq_open();
  nfq_q_handle* const queue = library == nullptr ? nullptr : nfq_create_queue(library, 0, OnPacket, &disturber);
  if (queue == nullptr || nfq_set_mode(queue, NFQNL_COPY_META, 0) < 0) {
    std::perror("packets: cannot listen to netfilter's queue 0");
    return 1;
  }
  nfq_set_queue_maxlen(queue, 100'000);
  const int socket = nfq_fd(library);
  setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof(kReceiveBytes));
  char buffer[4096];
  for (;;) {
    pollfd wait = {.fd = socket, .events = POLLIN, .revents = 0};
    poll(&wait, 1, disturber.Release(queue));
    if ((wait.revents & POLLIN) == 0) continue;
    const ssize_t size = recv(socket, buffer, sizeof(buffer), 0);
    if (size > 0) nfq_handle_packet(library, buffer, static_cast<int>(size));
  }
}
