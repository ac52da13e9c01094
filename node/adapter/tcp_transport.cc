#include "node/adapter/tcp_transport.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "node/protocol/messages.h"

namespace dynamo {

// A connection that a peer made.
struct TcpTransport::Incoming {
  std::shared_ptr<TcpConnection> connection;
  TimePoint since;
  bool heard = false;          // A whole frame came: it is a peer.
  bool other_cluster = false;  // That was said.
};

TcpTransport::TcpTransport(Executor executor, Clock* clock, Metrics* metrics, Logger log, TcpTransportOptions options)
    : executor_(executor),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      options_(options),
      calls_total_(metrics->counter("dynamo_peer_calls_total", "Requests sent to other nodes.")),
      requests_total_(metrics->counter("dynamo_peer_requests_total", "Requests taken from other nodes.")),
      other_cluster_total_(metrics->counter("dynamo_peer_requests_other_cluster_total",
                                            "Requests dropped because they came from another cluster.")),
      refused_total_(metrics->counter("dynamo_peer_requests_refused_total",
                                      "Requests refused: meant for another node, or before this one had started.")),
      malformed_total_(metrics->counter("dynamo_peer_frames_malformed_total",
                                        "Frames from peers that were altered, too long or of another version; each "
                                        "ends its connection.")),
      broken_total_(metrics->counter("dynamo_peer_connections_broken_total",
                                     "Connections to or from other nodes that failed or could not be made.")) {
  Sweep();
}

TcpTransport::~TcpTransport() { Stop(); }

void TcpTransport::SetCluster(ClusterId cluster) {
  cluster_tag_ = cluster.value.low;
  if (options_.channel.connection.tls == nullptr) return;
  const std::string& named = options_.channel.connection.tls->context()->cluster();
  const auto id = ParseClusterId(named);
  if (!id || !cluster || *id == cluster) return;
  log_.Error(
      "tls_certificate_of_other_cluster certificate={} disk={} do=\"give this node a certificate of its cluster\"",
      named, ToString(cluster));
}

void TcpTransport::SetAddress(NodeId node, std::string address) { nodes_[node] = ChannelTo(address); }

TcpTransport::ChannelPtr TcpTransport::ChannelTo(const std::string& address) {
  ChannelPtr& channel = channels_[address];
  if (!channel) {
    channel = std::make_shared<TcpChannel>(
        executor_, clock_, &corked_, options_.channel, address,
        [this](const TcpChannel& broken, const Error& error) { OnUnreachable(broken, error); });
  }
  return channel;
}

FrameHeader TcpTransport::RequestHeader(NodeId to) const {
  FrameHeader header;
  header.kind = FrameKind::kRequest;
  header.from = self_;
  header.to = to;
  header.cluster_tag = cluster_tag_;
  return header;
}

void TcpTransport::Call(NodeId to, SharedBytes body, TimePoint deadline, ReplyCallback reply) {
  if (stopped_) return;
  calls_total_.Add();
  const auto node = nodes_.find(to);
  if (node != nodes_.end()) return node->second->Call(RequestHeader(to), std::move(body), deadline, std::move(reply));
  asio::post(executor_, [alive = std::weak_ptr(alive_), reply = std::move(reply), to] {
    if (alive.lock()) reply(Fail(Errc::kUnavailable, fmt::format("no address is known of node {}", ToString(to))));
  });
}

void TcpTransport::CallAddress(std::string address, SharedBytes body, TimePoint deadline, ReplyCallback reply) {
  if (stopped_) return;
  calls_total_.Add();
  ChannelTo(address)->Call(RequestHeader(NodeId{}), std::move(body), deadline, std::move(reply));
}

void TcpTransport::OnUnreachable(const TcpChannel& channel, const Error& error) {
  broken_total_.Add();
  if (error.code != Errc::kUnavailable) malformed_total_.Add();
  log_.Debug("peer_unreachable address={} error=\"{}\"", channel.address(), error.message);
  std::vector<NodeId> away;
  for (const auto& [node, its_channel] : nodes_) {
    if (its_channel.get() == &channel) away.push_back(node);
  }
  for (const NodeId node : away) {
    if (handler_ != nullptr && !stopped_) handler_->OnPeerUnreachable(node);
  }
}

void TcpTransport::Adopt(int descriptor, bool ipv6) {
  PeerSocket socket(executor_);
  boost::system::error_code error;
  socket.assign(ipv6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), descriptor, error);
  if (error || stopped_ || incoming_.size() >= options_.connections_in_max) return;
  const auto incoming = std::make_shared<Incoming>();
  incoming->since = clock_->Now();
  TcpConnection::Events events;
  events.on_frame = [this, weak = std::weak_ptr(incoming)](const ParsedFrame& frame) {
    if (const auto from = weak.lock()) OnFrame(from, frame);
  };
  events.on_version = [this](uint8_t version) { AcceptedTotal(version).Add(); };
  events.on_broken = [this, weak = std::weak_ptr(incoming)](const Error& error) {
    if (error.code != Errc::kUnavailable) {
      malformed_total_.Add();
      log_.Warn("peer_connection_refused error=\"{}\"", error.message);
    }
    if (const auto from = weak.lock()) Forget(from);
  };
  incoming->connection =
      std::make_shared<TcpConnection>(std::move(socket), options_.channel.connection, &corked_, std::move(events));
  incoming_.insert(incoming);
  incoming->connection->Open(TlsRole::kListener);
}

Counter& TcpTransport::AcceptedTotal(uint8_t version) {
  return metrics_->counter("dynamo_peer_connections_accepted_total",
                           "Connections that other nodes have made, by the version of the protocol that both speak.",
                           {{"version", std::to_string(version)}});
}

void TcpTransport::OnFrame(const std::shared_ptr<Incoming>& from, const ParsedFrame& frame) {
  from->heard = true;
  const FrameHeader& request = frame.header;
  if (request.kind != FrameKind::kRequest) return;  // Answers go where the requests went.
  const bool other_cluster = request.cluster_tag != 0 && cluster_tag_ != 0 && request.cluster_tag != cluster_tag_;
  if (other_cluster && !std::exchange(from->other_cluster, true)) {
    log_.Warn("peer_of_other_cluster node={} cluster_ends_in={:016x} ours_ends_in={:016x}", ToString(request.from),
              request.cluster_tag, cluster_tag_);
  }
  if (other_cluster && request.to) {
    other_cluster_total_.Add();
    return;
  }
  Serve(from, frame);
}

void TcpTransport::Serve(const std::shared_ptr<Incoming>& from, const ParsedFrame& frame) {
  FrameHeader answer;
  answer.kind = FrameKind::kResponse;
  answer.call_id = frame.header.call_id;
  answer.from = self_;
  answer.to = frame.header.from;
  answer.cluster_tag = cluster_tag_;
  if (std::string why = Refusal(frame.header); !why.empty()) {
    refused_total_.Add();
    answer.kind = FrameKind::kRefused;
    from->connection->Send(answer, std::make_shared<const Bytes>(std::move(why)));
    return;
  }
  requests_total_.Add();
  const TimePoint deadline = clock_->Now() + std::chrono::milliseconds(frame.header.timeout_ms);
  handler_->OnPeerRequest({frame.header.from, deadline, Bytes(frame.body)},
                          [weak = std::weak_ptr(from->connection), answer, underway = underway_](SharedBytes body) {
                            const auto connection = weak.lock();
                            if (connection) connection->Send(answer, FittingAnswer(std::move(body)));
                          });
}

std::string TcpTransport::Refusal(const FrameHeader& request) const {
  if (handler_ == nullptr || !self_) return "this node has not started yet";
  if (underway_ == nullptr) return "this node is stopping";
  if (request.to && request.to != self_) {
    return fmt::format("node {} listens here, not {}", ToString(self_), ToString(request.to));
  }
  return {};
}

void TcpTransport::Forget(const std::shared_ptr<Incoming>& incoming) {
  broken_total_.Add();
  incoming_.erase(incoming);
}

void TcpTransport::Flush() {
  // What a failed write sets off may cork more.
  while (!corked_.empty()) {
    const CorkedConnections now = std::exchange(corked_, {});
    for (const auto& connection : now) connection->Flush();
  }
}

// Closes what nobody uses: connections without a call, channels to addresses that
// no node has, and clients that never became peers.
void TcpTransport::Sweep() {
  const TimePoint now = clock_->Now();
  for (auto entry = channels_.begin(); entry != channels_.end();) {
    const ChannelPtr& channel = entry->second;
    const bool idle = channel->calls() == 0 && now - channel->last_used() > options_.idle_close;
    if (idle) channel->CloseIdle();
    // Known only here: to no node, used by nobody.
    entry = idle && channel.use_count() == 1 ? channels_.erase(entry) : std::next(entry);
  }
  for (auto entry = incoming_.begin(); entry != incoming_.end();) {
    const bool stray = !(*entry)->heard && now - (*entry)->since > options_.magic_timeout;
    if (stray) (*entry)->connection->Close();
    entry = stray ? incoming_.erase(entry) : std::next(entry);
  }
  sweep_timer_ = clock_->At(now + options_.magic_timeout, [this] { Sweep(); });
}

void TcpTransport::Drain(std::function<void()> done) {
  if (underway_ == nullptr) return;
  underway_->done = std::move(done);
  underway_.reset();
}

void TcpTransport::Stop() {
  if (std::exchange(stopped_, true)) return;
  clock_->Cancel(sweep_timer_);
  alive_.reset();
  for (const auto& [address, channel] : channels_) channel->Close();
  for (const auto& incoming : incoming_) incoming->connection->Close();
  channels_.clear();
  nodes_.clear();
  incoming_.clear();
  corked_.clear();
}

}  // namespace dynamo
