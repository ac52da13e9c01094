// One client connection to a door, over a pair of sockets, in one thread.
#ifndef DYNAMO_TESTS_FUZZ_DOOR_HARNESS_H_
#define DYNAMO_TESTS_FUZZ_DOOR_HARNESS_H_

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "node/api/connection.h"
#include "node/env/scope.h"
#include "tests/unit/api/fake_handler.h"

namespace dynamo {

// What the door answered until it closed, to a client that sends `input` and no more.
inline std::string TalkTo(const std::function<Async<>(std::shared_ptr<Connection>)>& serve, std::string_view input) {
  int ends[2];
  DYNAMO_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  const int client = ends[0];
  // Inputs are far smaller than a socket's buffer, so this does not fall short.
  DYNAMO_CHECK(::send(client, input.data(), input.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(input.size()));
  ::shutdown(client, SHUT_WR);

  asio::io_context io{1};
  Scope scope(io.get_executor());
  bool done = false;
  auto run = [](Async<> served, bool* flag) -> Async<> {
    co_await std::move(served);
    *flag = true;
  };
  auto connection = std::make_shared<Connection>(Connection::Socket(io.get_executor(), asio::ip::tcp::v4(), ends[1]));
  scope.Spawn(run(serve(std::move(connection)), &done));

  std::string answer;
  char chunk[4096];
  const auto drain = [&] {
    for (ssize_t got; (got = ::recv(client, chunk, sizeof chunk, 0)) > 0;)
      answer.append(chunk, static_cast<size_t>(got));
  };
  while (!done) {
    io.restart();
    io.poll();
    drain();
  }
  drain();
  ::close(client);
  return answer;
}

}  // namespace dynamo

#endif  // DYNAMO_TESTS_FUZZ_DOOR_HARNESS_H_
