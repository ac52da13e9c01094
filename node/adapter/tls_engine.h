// One end of a TLS connection without a socket: bytes in, bytes out.
#ifndef DYNAMO_NODE_ADAPTER_TLS_ENGINE_H_
#define DYNAMO_NODE_ADAPTER_TLS_ENGINE_H_

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/tls/context.h"
#include "common/tls/refusal.h"
#include "node/env/async.h"

namespace dynamo {

enum class TlsRole { kCaller, kListener };

class TlsEngine {
 public:
  enum class Progress { kWaits, kDone, kFailed };

  TlsEngine(TlsSession session, TlsRole role);

  // What came from the other side, as it came.
  void Receive(std::string_view sealed);
  // Goes on with the handshake; kWaits: for the other side.
  Progress Shake();
  // After the handshake: the size of what was put into `space`; 0: the other side has
  // said no more; nullopt: nor will it, see refusal.
  std::optional<size_t> Read(std::span<char> space);
  // After the handshake: how much of `buffers`, from their start, is in the output now; at
  // least something.
  size_t Write(const std::vector<asio::const_buffer>& buffers);

  // To be sent, from its start; what was, is said by Sent. After a failure it is what tells
  // the other side why.
  std::string_view output() const { return std::string_view(output_).substr(sent_); }
  void Sent(size_t size);

  // Why it failed; nullopt: the other side has ended in good order.
  const std::optional<TlsRefusal>& refusal() const { return refusal_; }
  // After the handshake.
  std::optional<ClusterName> peer_name() const { return PeerName(session_.get(), TlsUse::kPeer); }

 private:
  static constexpr size_t kBatchBytes = 128 << 10;  // Encrypted before they are sent.

  void Collect();

  TlsSession session_;
  Bytes output_;
  size_t sent_ = 0;
  std::optional<TlsRefusal> refusal_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_TLS_ENGINE_H_
