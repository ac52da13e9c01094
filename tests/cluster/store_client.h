// A client of the store over HTTP: one connection to every node, and answers as the
// oracle wants them.
#ifndef DYNAMO_TESTS_CLUSTER_STORE_CLIENT_H_
#define DYNAMO_TESTS_CLUSTER_STORE_CLIENT_H_

#include <httplib.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "tests/oracle/history.h"

namespace dynamo::cluster {

struct ClientSettings {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds answer_timeout{10'000};
  // A node that did not answer is left alone for this long, if there are others.
  std::chrono::milliseconds avoid{0};
  // A file of those whom to trust: https, and a connection for each request; empty: http.
  std::string authorities = {};
};

// What became of one request, after a refused connection was tried elsewhere once.
struct Answer {
  bool answered = false;
  bool surely_not_sent = false;
  uint64_t refused = 0;
  httplib::Response response;
};

struct Reading {
  oracle::Observation seen;
  std::string context;  // Opaque, for a write that follows.
};
// Nullopt: no answer that says what is there.
std::optional<Reading> ParseReading(const Answer& answer);

class StoreClient {
 public:
  using Ask = std::function<httplib::Result(httplib::Client& node)>;

  // `nodes`: where each serves HTTP, as host:port.
  StoreClient(const std::vector<std::string>& nodes, const ClientSettings& settings, uint64_t seed);

  // Asks a node drawn from the seed.
  Answer Send(const Ask& ask);
  // Asks one node only.
  Answer SendTo(size_t node, const Ask& ask);
  // `query`: "", or as "?r=all".
  static Ask Get(const std::string& key, const std::string& query);
  static Ask Put(const std::string& key, const std::string& context, const std::string& value);
  static Ask Delete(const std::string& key, const std::string& context);

  Rng& rng() { return rng_; }
  size_t nodes() const { return nodes_.size(); }

 private:
  using SteadyClock = std::chrono::steady_clock;

  struct Node {
    std::unique_ptr<httplib::Client> http;
    SteadyClock::time_point avoided_until;
  };
  size_t Draw();

  ClientSettings settings_;
  Rng rng_;
  std::vector<Node> nodes_;
};

}  // namespace dynamo::cluster

#endif  // DYNAMO_TESTS_CLUSTER_STORE_CLIENT_H_
