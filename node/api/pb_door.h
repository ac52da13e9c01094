// The Protocol Buffers door: Riak's messages onto the request handler.
#ifndef DYNAMO_NODE_API_PB_DOOR_H_
#define DYNAMO_NODE_API_PB_DOOR_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/bytes.h"
#include "common/users/users.h"
#include "node/api/client_guard.h"
#include "node/api/connection.h"
#include "node/api/door_env.h"
#include "node/api/pb_codec.h"
#include "node/env/async.h"

namespace dynamo {

// One connection's messages, in order: bytes in, bytes out, without a socket.
class PbSession {
 public:
  explicit PbSession(DoorEnv env) : env_(std::move(env)) {}

  // The whole answer frame. Never fails: errors are answers.
  Async<Bytes> Answer(uint8_t code, Bytes body);

  // Where there are users: whose requests these are from now on.
  void SetUser(UserIdentity user) { user_ = std::move(user); }
  // Somebody who is still a user.
  bool HasUser() const;

 private:
  // nullopt: the user may.
  std::optional<Bytes> Refuse(Permission permission, GrantTarget target) const;
  Async<Bytes> Get(riak::GetReq request);
  Async<Bytes> Put(riak::PutReq request);
  Async<Bytes> Delete(riak::DelReq request);
  Async<Bytes> SetProperties(std::string type, std::string bucket, riak::BucketProps wanted, PbCode answer);
  Async<Bytes> ResetProperties(std::string type, std::string bucket);
  Bytes GetProperties(const std::string& type, const std::string& bucket);
  Bytes ServerInfo() const;
  Async<Bytes> AnswerProperties(PbCode code, Bytes body);

  DoorEnv env_;
  std::optional<UserIdentity> user_;
  Bytes client_id_ = Bytes(4, '\0');
};

// Serves one connection until it ends: reads a frame, answers it. Requests may be
// pipelined; the answers come in order.
Async<> ServePb(std::shared_ptr<Connection> connection, DoorEnv env);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_PB_DOOR_H_
