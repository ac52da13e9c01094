#include "node/api/pb_door.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "node/api/riak_values.h"

namespace dynamo {
namespace {

// Room for a value is made as its bytes arrive, never because a length says so.
constexpr size_t kReadStep = 256u << 10;
// What an object's message may hold beside its value.
constexpr size_t kMessageOverhead = 1u << 20;

class PbReader {
 public:
  PbReader(Connection* connection, DoorLimits limits) : connection_(connection), limits_(limits) {}

  // Makes at least `size` bytes available; false when the connection has ended.
  Async<bool> Need(size_t size) {
    while (end_ - begin_ < size) {
      if (begin_ == end_) begin_ = end_ = 0;
      if (buffer_.size() - end_ < std::min(size - (end_ - begin_), kReadStep)) MakeRoom(size);
      boost::system::error_code error;
      end_ += co_await connection_->stream().async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                                                             asio::redirect_error(kUseAwaitable, error));
      if (error) co_return false;
      connection_->SetDeadline(limits_.transfer_timeout);
    }
    co_return true;
  }
  std::string_view Take(size_t size) {
    const std::string_view out(buffer_.data() + begin_, size);
    begin_ += size;
    return out;
  }
  bool empty() const { return begin_ == end_; }
  // A large message does not keep its memory for the life of the connection.
  void Shrink() {
    if (empty() && buffer_.size() > kReadStep) Bytes().swap(buffer_);
  }

 private:
  void MakeRoom(size_t size) {
    buffer_.erase(0, begin_);
    end_ -= begin_;
    begin_ = 0;
    const size_t wanted = std::max<size_t>(std::min(size, end_ + kReadStep), 16u << 10);
    if (buffer_.size() < wanted) buffer_.resize(std::max(wanted, std::min(size, 2 * buffer_.size())));
  }

  Connection* connection_;
  DoorLimits limits_;
  Bytes buffer_;
  size_t begin_ = 0, end_ = 0;
};

Async<bool> WriteAll(std::shared_ptr<Connection> connection, Bytes answer, DoorLimits limits) {
  connection->SetDeadline(limits.transfer_timeout);
  boost::system::error_code error;
  co_await asio::async_write(connection->stream(), asio::buffer(answer), asio::redirect_error(kUseAwaitable, error));
  co_return !error;
}

// What comes before and around a connection's requests: STARTTLS and, after it, who the
// client is. Where there are no users, any is let in.
class PbSecurity {
 public:
  // kServe: the message is a request. kGoOn: it was answered.
  enum class Next { kServe, kGoOn, kEnd };

  // `session` outlives this.
  PbSecurity(std::shared_ptr<Connection> connection, DoorEnv env, PbSession* session)
      : connection_(std::move(connection)), env_(std::move(env)), session_(session) {}

  // Where there is TLS, or there are users. `pipelined`: more was read than this message.
  // `body` is taken only from what is answered here.
  Async<Next> Take(PbCode code, Bytes* body, bool pipelined) {
    const bool secured = connection_->stream().secured();
    if (code == PbCode::kStartTls && env_.tls != nullptr) {
      if (!secured) co_return co_await Start(pipelined);
      co_return co_await Say(EncodePbError("TLS has begun already"));
    }
    if (!secured && !PlaintextMay(code)) co_return co_await AskForTls();
    if (code == PbCode::kAuthReq) {
      if (env_.guard != nullptr) co_return co_await Authenticate(std::move(*body));
      if (secured) co_return co_await Say(EncodePbFrame(PbCode::kAuthResp, ""));
    } else if (env_.guard != nullptr && code != PbCode::kStartTls && !session_->HasUser()) {
      co_return co_await Say(EncodePbError("Security is enabled, please authenticate first"));
    }
    co_return Next::kServe;
  }

 private:
  bool PlaintextMay(PbCode code) const {
    if (env_.tls != nullptr && env_.tls->required()) return false;
    if (env_.guard != nullptr) return env_.guard->allows_plaintext();
    // A password is never asked for in plaintext.
    return code != PbCode::kAuthReq;
  }

  Async<Next> AskForTls() {
    if (env_.tls != nullptr && !std::exchange(refused_, true)) {
      env_.tls->Refused({TlsReason::kPlaintext, "wanted STARTTLS"}, connection_->stream().Client());
    }
    co_return co_await Say(EncodePbError("Security is enabled, please STARTTLS first"));
  }

  Async<Next> Authenticate(Bytes body) {
    riak::AuthReq request;
    if (auto parsed = ParsePb(body, &request); !parsed) {
      co_return co_await Say(EncodePbError(RiakErrorText(parsed.error())));
    }
    connection_->ClearDeadline();
    const auto user = co_await env_.guard->Authenticate(
        env_.scope, {ClientGuard::Door::kPb, connection_->stream().Client(), request.user(), request.password()});
    if (!user) co_return co_await Say(EncodePbError(RiakErrorText(user.error())));
    if (!*user) co_return co_await Say(EncodePbError("Authentication failed"));
    session_->SetUser(**user);
    co_return co_await Say(EncodePbFrame(PbCode::kAuthResp, ""));
  }

  Async<Next> Start(bool pipelined) {
    // What was sent in plaintext must not be taken for something that was said within TLS.
    if (pipelined) {
      env_.tls->Refused({TlsReason::kProtocol, "bytes right after STARTTLS"}, connection_->stream().Client());
      co_return Next::kEnd;
    }
    if (co_await Say(EncodePbFrame(PbCode::kStartTls, "")) == Next::kEnd) co_return Next::kEnd;
    connection_->SetDeadline(env_.limits.handshake_timeout);
    co_return co_await connection_->stream().Secure(env_.tls) ? Next::kGoOn : Next::kEnd;
  }

  Async<Next> Say(Bytes answer) {
    co_return co_await WriteAll(connection_, std::move(answer), env_.limits) ? Next::kGoOn : Next::kEnd;
  }

  std::shared_ptr<Connection> connection_;
  DoorEnv env_;
  PbSession* session_;
  bool refused_ = false;
};

}  // namespace

Async<> ServePb(std::shared_ptr<Connection> connection, DoorEnv env) {
  const size_t bytes_max = env.limits.object_bytes_max + kMessageOverhead;
  PbSession session(env);
  PbReader reader(connection.get(), env.limits);
  PbSecurity security(connection, env, &session);
  for (;;) {
    if (reader.empty()) connection->SetIdle(env.limits.idle_timeout);
    if (!co_await reader.Need(kPbLengthBytes)) co_return;
    const Result<size_t> length = ParsePbLength(reader.Take(kPbLengthBytes), bytes_max);
    if (!length) {
      // What follows cannot be told apart any more: say why, and close.
      co_await WriteAll(connection, EncodePbError(length.error().message), env.limits);
      co_return;
    }
    if (!co_await reader.Need(*length)) co_return;
    const auto code = static_cast<uint8_t>(reader.Take(1)[0]);
    Bytes body(reader.Take(*length - 1));
    reader.Shrink();
    if (env.tls != nullptr || env.guard != nullptr) {
      const PbSecurity::Next next = co_await security.Take(static_cast<PbCode>(code), &body, !reader.empty());
      if (next == PbSecurity::Next::kEnd) co_return;
      if (next == PbSecurity::Next::kGoOn) continue;
    }
    connection->ClearDeadline();
    Bytes answer = co_await session.Answer(code, std::move(body));
    if (env.handler->Parting()) connection->EndSoon();
    // The protocol has no word for "the last answer": the client sees the end of it.
    const bool last = connection->ending();
    if (!co_await WriteAll(connection, std::move(answer), env.limits) || last) co_return;
  }
}

}  // namespace dynamo
