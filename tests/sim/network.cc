#include "tests/sim/network.h"

#include <algorithm>

#include "common/base/hash.h"
#include "tests/sim/transport.h"

namespace dynamo::sim {

void SimNetwork::Join(SimTransport* transport) {
  const SimTransport::Place& place = transport->place();
  transports_[{place.process, place.shard}] = transport;
  Listener& listener = listeners_[place.address];
  if (listener.process != place.process) listener = {place.host, place.process, {}};
  if (listener.shards.size() <= place.shard) listener.shards.resize(place.shard + 1);
  listener.shards[place.shard] = transport;
}

void SimNetwork::Leave(SimTransport* transport) {
  const SimTransport::Place& place = transport->place();
  transports_.erase({place.process, place.shard});
  const auto listener = listeners_.find(place.address);
  if (listener == listeners_.end() || listener->second.process != place.process) return;
  listener->second.process = kNobody;
  listener->second.shards.clear();
  for (const auto& [key, other] : transports_) {
    const ConnectionPtr connection = other->ConnectionTo(place.process);
    // The reset does not reach whom a partition hides.
    if (connection && !IsCut(place.host, connection->from_host)) Break(connection);
  }
}

SimNetwork::Listener SimNetwork::Find(const std::string& address) const {
  const auto found = listeners_.find(address);
  return found == listeners_.end() ? Listener{} : found->second;
}

SimTransport* SimNetwork::Find(ProcessId process, ShardIndex shard) const {
  const auto found = transports_.find({process, shard});
  return found == transports_.end() ? nullptr : found->second;
}

ConnectionPtr SimNetwork::Connect(const SimTransport& from, const Listener& to) {
  auto connection = std::make_shared<Connection>();
  connection->from = from.place().process;
  connection->from_shard = from.place().shard;
  connection->from_host = from.place().host;
  connection->to = to.process;
  connection->to_shard = static_cast<ShardIndex>(rng_.Below(to.shards.size()));
  connection->to_host = to.host;
  return connection;
}

Duration SimNetwork::RandomDelay() {
  return Duration(rng_.Between(config_.delay_min.count(), config_.delay_max.count()));
}

TimePoint SimNetwork::Departure(HostId from, HostId to) const {
  if (clogs_.empty()) return world_->now();
  const auto clog = clogs_.find({from, to});
  return clog == clogs_.end() ? world_->now() : std::max(world_->now(), clog->second);
}

int SimNetwork::MakeHalfOpen(HostId from, HostId to, bool responses_only) {
  int made = 0;
  for (const auto& [place, transport] : transports_) {
    if (transport->place().host != from) continue;
    for (const ConnectionPtr& connection : transport->Connections()) {
      if (connection->to_host != to || connection->broken) continue;
      connection->deaf_to_responses = true;
      connection->deaf_to_requests = !responses_only;
      half_open_.push_back(connection);
      ++made;
    }
  }
  return made;
}

void SimNetwork::BreakHalfOpen() {
  for (const ConnectionPtr& connection : std::exchange(half_open_, {})) Break(connection);
}

void SimNetwork::Unclog() {
  clogs_.clear();
  const TimePoint soon = world_->now() + config_.delay_max + config_.late_max;
  std::vector<ConnectionPtr> stuck;
  for (const auto& [place, transport] : transports_) {
    for (const ConnectionPtr& connection : transport->Connections()) {
      if (std::max(connection->last_request, connection->last_response) > soon) stuck.push_back(connection);
    }
  }
  for (const ConnectionPtr& connection : stuck) Break(connection);
}

std::optional<TimePoint> SimNetwork::Arrival(HostId from, HostId to, TimePoint* last) {
  if (rng_.Chance(config_.drop)) {
    ++counts_.dropped;
    return std::nullopt;
  }
  const TimePoint prompt = Departure(from, to) + RandomDelay();
  const Duration late(static_cast<int64_t>(rng_.Below(static_cast<uint64_t>(config_.late_max.count()) + 1)));
  if (rng_.Chance(config_.reorder)) {
    ++counts_.reordered;
    return prompt + late;
  }
  const bool slow = rng_.Chance(config_.slow);
  if (slow) ++counts_.slowed;
  *last = std::max(*last, slow ? prompt + late : prompt);
  return *last;
}

void SimNetwork::SendRequest(const ConnectionPtr& connection, const FrameHeader& header, SharedBytes body) {
  Send(connection, /*response=*/false, header, std::move(body));
}

void SimNetwork::SendResponse(const ConnectionPtr& connection, uint64_t call_id, SharedBytes body) {
  FrameHeader header;
  header.kind = FrameKind::kResponse;
  header.call_id = call_id;
  Send(connection, /*response=*/true, header, std::move(body));
}

void SimNetwork::Send(const ConnectionPtr& connection, bool response, FrameHeader header, SharedBytes body) {
  ++counts_.messages;
  counts_.bytes += kFrameLengthBytes + kFrameHeaderBytes + body->size();
  if (response ? connection->deaf_to_responses : connection->deaf_to_requests) return;
  if (rng_.Chance(config_.reset)) {
    ++counts_.resets;
    Break(connection);
    return;
  }
  if (rng_.Chance(config_.corrupt) && !SurvivesCorruption(header, *body)) {
    // A real connection cannot go on after a frame that does not parse.
    ++counts_.corrupted;
    Break(connection);
    return;
  }
  int copies = 1;
  if (rng_.Chance(config_.duplicate)) {
    ++counts_.duplicated;
    copies = 2;
  }
  const ProcessId receiver = response ? connection->from : connection->to;
  const HostId source = response ? connection->to_host : connection->from_host;
  const HostId target = response ? connection->from_host : connection->to_host;
  for (; copies > 0; --copies) {
    const auto arrival = Arrival(source, target, response ? &connection->last_response : &connection->last_request);
    if (!arrival) continue;
    world_->At(receiver, *arrival,
               [this, connection, response, header, body] { Deliver(connection, response, header, body); });
  }
}

void SimNetwork::Deliver(const ConnectionPtr& connection, bool response, const FrameHeader& header,
                         const SharedBytes& body) {
  const HostId source = response ? connection->to_host : connection->from_host;
  const HostId target = response ? connection->from_host : connection->to_host;
  if (connection->broken || (response ? connection->deaf_to_responses : connection->deaf_to_requests)) return;
  if (IsCut(source, target)) {
    ++counts_.cut;
    return;
  }
  world_->Trace(Checksum64(*body) ^ header.call_id);
  SimTransport* receiver =
      response ? Find(connection->from, connection->from_shard) : Find(connection->to, connection->to_shard);
  if (receiver == nullptr) return;
  if (response) {
    receiver->OnResponse(header.call_id, *body);
  } else {
    receiver->OnRequest(connection, header, *body);
  }
}

bool SimNetwork::SurvivesCorruption(const FrameHeader& header, const Bytes& body) {
  Bytes frame;
  AppendFrame(header, body, &frame);
  const uint64_t bit = rng_.Below(frame.size() * 8);
  frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
  const std::string_view view(frame);
  const Result<size_t> length = ParseFrameLength(view.substr(0, kFrameLengthBytes));
  if (!length || *length != view.size() - kFrameLengthBytes) return false;
  return ParseFrame(view.substr(kFrameLengthBytes)).has_value();
}

void SimNetwork::Refuse(const SimTransport& from, HostId to_host, std::function<void()> refused) {
  if (IsCut(from.place().host, to_host) || IsCut(to_host, from.place().host)) {
    ++counts_.cut;
    return;
  }
  ++counts_.refused;
  world_->At(from.place().process, world_->now() + RandomDelay() + RandomDelay(), std::move(refused));
}

void SimNetwork::Break(const ConnectionPtr& connection) {
  if (connection->broken) return;
  connection->broken = true;
  // The other end has nothing to learn: it finds its answers undeliverable.
  if (!world_->alive(connection->from)) return;
  world_->At(connection->from, world_->now() + RandomDelay(), [this, connection] {
    if (SimTransport* caller = Find(connection->from, connection->from_shard)) caller->OnBroken(connection);
  });
}

}  // namespace dynamo::sim
