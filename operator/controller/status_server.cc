#include "operator/controller/status_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <thread>
#include <utility>

#include "common/admin/metrics_text.h"

namespace dynamo::op {

struct StatusServer::State {
  httplib::Server server;
  std::thread thread;
  int port = 0;
};

Result<std::unique_ptr<StatusServer>> StatusServer::Start(const std::string& address, int port, const Metrics* metrics,
                                                          std::function<bool()> ready) {
  auto state = std::make_unique<State>();
  state->server.new_task_queue = [] { return new httplib::ThreadPool(4); };
  state->server.set_read_timeout(std::chrono::seconds(5));
  state->server.set_payload_max_length(1024);
  state->server.Get("/healthz",
                    [](const httplib::Request&, httplib::Response& out) { out.set_content("ok\n", "text/plain"); });
  state->server.Get("/readyz", [ready = std::move(ready)](const httplib::Request&, httplib::Response& out) {
    const bool yes = ready();
    out.status = yes ? 200 : 503;
    out.set_content(yes ? "ok\n" : "the first lists from the API server are still awaited\n", "text/plain");
  });
  state->server.Get("/metrics", [metrics](const httplib::Request&, httplib::Response& out) {
    out.set_content(admin::MetricsText(*metrics), "text/plain; version=0.0.4");
  });
  state->port = port == 0                                           ? state->server.bind_to_any_port(address.c_str())
                : state->server.bind_to_port(address.c_str(), port) ? port
                                                                    : -1;
  if (state->port < 0) return Fail(Errc::kUnavailable, fmt::format("cannot listen on {}:{}", address, port));
  httplib::Server* server = &state->server;
  state->thread = std::thread([server] { server->listen_after_bind(); });
  while (!server->is_running()) std::this_thread::yield();
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(state)));
}

StatusServer::StatusServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

StatusServer::~StatusServer() {
  state_->server.stop();
  state_->thread.join();
}

int StatusServer::port() const { return state_->port; }

Status CheckPages(const std::string& url) {
  httplib::Client client(url);
  client.set_connection_timeout(std::chrono::seconds(5));
  client.set_read_timeout(std::chrono::seconds(5));
  for (const char* page : {"/healthz", "/readyz", "/metrics"}) {
    const auto answer = client.Get(page);
    if (!answer)
      return Fail(Errc::kUnavailable, fmt::format("no answer from {}{}: {}", url, page, to_string(answer.error())));
    if (answer->status != 200)
      return Fail(Errc::kUnavailable, fmt::format("{}{}: {} {}", url, page, answer->status, answer->body));
  }
  return {};
}

}  // namespace dynamo::op
