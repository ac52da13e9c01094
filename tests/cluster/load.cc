#include "tests/cluster/load.h"

#include <fmt/format.h>
#include <httplib.h>

#include <memory>
#include <utility>

#include "tools/dynamoctl/object_client.h"

namespace dynamo::cluster {
namespace {

// Clients meet on a few keys at a time, and move on, so that no history grows long.
constexpr uint64_t kKeysAtOnce = 16;
constexpr uint64_t kOperationsPerKey = 24;
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

}  // namespace

// What became of one request, after a refused connection was tried elsewhere once.
struct Load::Answer {
  bool answered = false;
  bool surely_not_sent = false;
  uint64_t refused = 0;
  httplib::Response response;
};

struct Load::Client {
  int id;
  Rng rng;
  std::vector<std::unique_ptr<httplib::Client>> nodes;

  Client(RealCluster* cluster, int number, uint64_t seed) : id(number), rng(seed) {
    for (size_t i = 0; i < cluster->size(); ++i) {
      nodes.push_back(std::make_unique<httplib::Client>("http://" + cluster->node(i).http()));
      nodes.back()->set_keep_alive(true);
      nodes.back()->set_tcp_nodelay(true);
      nodes.back()->set_read_timeout(std::chrono::seconds(10));
    }
  }

  template <class Ask>
  Answer Send(Ask ask) {
    Answer answer;
    size_t node = rng.Below(nodes.size());
    for (int attempt = 0; attempt < 2; ++attempt) {
      const httplib::Result result = ask(*nodes[node]);
      answer.surely_not_sent = !result && result.error() == httplib::Error::Connection;
      if (result) {
        answer.answered = true;
        answer.response = *result;
      }
      if (!answer.surely_not_sent) return answer;
      ++answer.refused;
      node = (node + 1 + rng.Below(nodes.size() - 1)) % nodes.size();
    }
    return answer;
  }
};

Load::Load(RealCluster* cluster, int clients, uint64_t seed) : cluster_(cluster), clients_(clients), seed_(seed) {}

Load::~Load() { Stop(); }

void Load::Start() {
  for (int id = 0; id < clients_; ++id) threads_.emplace_back([this, id] { Run(id); });
}

void Load::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Load::Run(int id) {
  Client client(cluster_, id, seed_ + static_cast<uint64_t>(id));
  while (!stopping_) {
    const std::string key = NextKey(client.rng);
    if (client.rng.Chance(0.15)) {
      Write(client, key, {}, "", /*erase=*/false);
    } else {
      ReadThenWrite(client, key);
    }
  }
}

std::string Load::NextKey(Rng& rng) {
  const std::lock_guard lock(mutex_);
  const uint64_t first = ++operations_ / kOperationsPerKey;
  std::string key = fmt::format("k{}", first + rng.Below(kKeysAtOnce));
  ++used_keys_[key];
  return key;
}

void Load::ReadThenWrite(Client& client, const std::string& key) {
  uint64_t begun = 0;
  {
    const std::lock_guard lock(mutex_);
    begun = history_.Now();
  }
  const Answer answer = client.Send([&key](httplib::Client& node) {
    return node.Get(kBucket + key, httplib::Headers{{"Accept", "multipart/mixed"}});
  });
  const int status = answer.answered ? answer.response.status : 0;
  oracle::Observation seen;
  if (status == 200) seen.AddValue(answer.response.body);
  if (status == 300) seen = ParseSiblings(answer.response);
  if (status == 404) seen.tombstone = answer.response.has_header("X-Riak-Deleted");
  const bool ok = status == 200 || status == 300 || status == 404;
  {
    const std::lock_guard lock(mutex_);
    counts_.refused += answer.refused;
    ++(ok ? counts_.reads_ok : counts_.reads_failed);
    if (ok) history_.AddRead(client.id, key, begun, seen);
  }
  if (!ok) return;
  const bool erase = !oracle::ContextOf(seen).none() && client.rng.Chance(0.1);
  Write(client, key, oracle::ContextOf(seen), answer.response.get_header_value("X-Riak-Vclock"), erase);
}

void Load::Write(Client& client, const std::string& key, const oracle::Context& context, const std::string& token,
                 bool erase) {
  oracle::WriteId id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = erase ? history_.BeginDelete(client.id, key, context) : history_.BeginPut(client.id, key, context);
  }
  httplib::Headers headers;
  if (!token.empty()) headers.emplace("X-Riak-Vclock", token);
  const std::string value = oracle::MakeValue(id, client.rng.Below(300));
  const Answer answer = client.Send([&](httplib::Client& node) {
    return erase ? node.Delete(kBucket + key, headers) : node.Put(kBucket + key, headers, value, "text/plain");
  });
  oracle::Outcome outcome = oracle::Outcome::kUnknown;
  if (answer.answered && answer.response.status == 204) outcome = oracle::Outcome::kOk;
  // 4xx changes nothing; a 503 may have.
  if (answer.surely_not_sent || (answer.answered && answer.response.status / 100 == 4)) {
    outcome = oracle::Outcome::kFailed;
  }
  const std::lock_guard lock(mutex_);
  history_.EndWrite(id, outcome);
  counts_.refused += answer.refused;
  if (outcome == oracle::Outcome::kOk) {
    ++counts_.puts_ok;
  } else if (answer.answered || answer.surely_not_sent) {
    ++counts_.puts_failed;
  } else {
    ++counts_.puts_unknown;
  }
}

uint64_t Load::ReadAll() {
  Client client(cluster_, clients_, seed_);
  uint64_t failed = 0;
  for (const auto& [key, uses] : used_keys_) {
    const size_t first = client.rng.Below(client.nodes.size());
    for (size_t observer : {first, (first + 1) % client.nodes.size()}) {
      const auto result =
          client.nodes[observer]->Get(kBucket + key + "?r=all", httplib::Headers{{"Accept", "multipart/mixed"}});
      const int status = result ? result->status : 0;
      oracle::Observation seen;
      if (status == 200) seen.AddValue(result->body);
      if (status == 300) seen = ParseSiblings(*result);
      if (status == 404) seen.tombstone = result->has_header("X-Riak-Deleted");
      if (status == 200 || status == 300 || status == 404) {
        history_.AddFinalRead(key, fmt::format("node {}", observer + 1), std::move(seen));
      } else {
        ++failed;
      }
    }
  }
  return failed;
}

}  // namespace dynamo::cluster
