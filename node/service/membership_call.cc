#include "node/service/membership_call.h"

#include <utility>

#include "node/protocol/messages.h"

namespace dynamo {
namespace {

void Send(const ShardEnv& env, const Whom& whom, SharedBytes body, TimePoint deadline, ReplyCallback reply) {
  if (const auto* node = std::get_if<NodeId>(&whom)) {
    env.transport->Call(*node, std::move(body), deadline, std::move(reply));
  } else {
    env.transport->CallAddress(std::get<std::string>(whom), std::move(body), deadline, std::move(reply));
  }
}

}  // namespace

Result<peer::Response> ParseReply(const Result<Bytes>& reply) {
  if (!reply) return Fail(reply.error());
  return ParseResponse(*reply);
}

// The callbacks point into the frame: it waits for every one of them, and a shard
// that is killed calls none.
Async<Result<peer::Response>> Ask(ShardEnv env, Whom whom, SharedBytes body, TimePoint deadline) {
  Event done(*env.scope);
  Result<peer::Response> answer;
  Send(env, whom, std::move(body), deadline, [&done, &answer](const Result<Bytes>& reply) {
    answer = ParseReply(reply);
    done.Set();
  });
  co_await done.Wait();
  co_return answer;
}

Async<std::vector<Result<peer::Response>>> AskAll(ShardEnv env, std::vector<std::string> addresses, SharedBytes body,
                                                  TimePoint deadline) {
  Event done(*env.scope);
  std::vector<Result<peer::Response>> answers(addresses.size());
  size_t missing = addresses.size();
  for (size_t i = 0; i < addresses.size(); ++i) {
    Send(env, addresses[i], body, deadline, [&done, &answers, &missing, i](const Result<Bytes>& reply) {
      answers[i] = ParseReply(reply);
      if (--missing == 0) done.Set();
    });
  }
  if (missing > 0) co_await done.Wait();
  co_return answers;
}

}  // namespace dynamo
