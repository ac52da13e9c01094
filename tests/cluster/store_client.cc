#include "tests/cluster/store_client.h"

#include <utility>

#include "tools/dynamoctl/object_client.h"

namespace dynamo::cluster {
namespace {

constexpr char kBucket[] = "/types/siblings/buckets/load/keys/";

oracle::Observation ParseSiblings(const httplib::Response& response) {
  oracle::Observation seen;
  const auto values = ctl::ParseMultipart(response.body, ctl::BoundaryOf(response.get_header_value("Content-Type")));
  if (!values) {
    seen.foreign.push_back(values.error().message);
    return seen;
  }
  for (const ctl::Value& value : *values) {
    if (value.deleted) {
      seen.tombstone = true;
    } else {
      seen.AddValue(value.data);
    }
  }
  return seen;
}

httplib::Headers WithContext(const std::string& context) {
  httplib::Headers headers;
  if (!context.empty()) headers.emplace("X-Riak-Vclock", context);
  return headers;
}

}  // namespace

std::optional<Reading> ParseReading(const Answer& answer) {
  if (!answer.answered) return std::nullopt;
  Reading reading;
  switch (answer.response.status) {
    case 200: reading.seen.AddValue(answer.response.body); break;
    case 300: reading.seen = ParseSiblings(answer.response); break;
    case 404: reading.seen.tombstone = answer.response.has_header("X-Riak-Deleted"); break;
    default: return std::nullopt;
  }
  reading.context = answer.response.get_header_value("X-Riak-Vclock");
  return reading;
}

StoreClient::StoreClient(const std::vector<std::string>& nodes, const ClientSettings& settings, uint64_t seed)
    : settings_(settings), rng_(seed), nodes_(nodes.size()) {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const bool tls = !settings.authorities.empty();
    nodes_[i].http = std::make_unique<httplib::Client>((tls ? "https://" : "http://") + nodes[i]);
    if (tls) nodes_[i].http->set_ca_cert_path(settings.authorities.c_str());
    nodes_[i].http->set_keep_alive(!tls);
    nodes_[i].http->set_tcp_nodelay(true);
    nodes_[i].http->set_connection_timeout(settings.connect_timeout);
    nodes_[i].http->set_read_timeout(settings.answer_timeout);
  }
}

size_t StoreClient::Draw() {
  const size_t first = rng_.Below(nodes_.size());
  const auto now = SteadyClock::now();
  size_t oldest = first;
  for (size_t tries = 0; tries < nodes_.size(); ++tries) {
    const size_t node = (first + tries) % nodes_.size();
    if (nodes_[node].avoided_until <= now) return node;
    if (nodes_[node].avoided_until < nodes_[oldest].avoided_until) oldest = node;
  }
  // All were away lately: that one the longest ago.
  return oldest;
}

Answer StoreClient::SendTo(size_t node, const Ask& ask) {
  Answer answer;
  const httplib::Result result = ask(*nodes_[node].http);
  if (result) {
    answer.answered = true;
    answer.response = *result;
  } else {
    answer.surely_not_sent =
        result.error() == httplib::Error::Connection || result.error() == httplib::Error::ConnectionTimeout;
    nodes_[node].avoided_until = SteadyClock::now() + settings_.avoid;
  }
  return answer;
}

Answer StoreClient::Send(const Ask& ask) {
  const size_t first = Draw();
  Answer answer = SendTo(first, ask);
  if (!answer.surely_not_sent) return answer;
  answer = SendTo((first + 1 + rng_.Below(nodes_.size() - 1)) % nodes_.size(), ask);
  answer.refused = answer.surely_not_sent ? 2 : 1;
  return answer;
}

StoreClient::Ask StoreClient::Get(const std::string& key, const std::string& query) {
  return [path = kBucket + key + query](httplib::Client& node) {
    return node.Get(path, httplib::Headers{{"Accept", "multipart/mixed"}});
  };
}

StoreClient::Ask StoreClient::Put(const std::string& key, const std::string& context, const std::string& value) {
  return [path = kBucket + key, headers = WithContext(context), value](httplib::Client& node) {
    return node.Put(path, headers, value, "text/plain");
  };
}

StoreClient::Ask StoreClient::Delete(const std::string& key, const std::string& context) {
  return [path = kBucket + key, headers = WithContext(context)](httplib::Client& node) {
    return node.Delete(path, headers);
  };
}

}  // namespace dynamo::cluster
