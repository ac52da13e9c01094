// One TCP stream of frames between two nodes, seen from either end.
#ifndef DYNAMO_NODE_ADAPTER_TCP_CONNECTION_H_
#define DYNAMO_NODE_ADAPTER_TCP_CONNECTION_H_

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "common/tls/keeper.h"
#include "node/adapter/frame_buffer.h"
#include "node/adapter/frame_queue.h"
#include "node/adapter/tls_engine.h"
#include "node/env/async.h"

namespace dynamo {

using PeerSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

class TcpConnection;

// Connections with frames to write at the end of this wake-up.
using CorkedConnections = std::vector<std::shared_ptr<TcpConnection>>;

struct TcpConnectionOptions {
  SpokenVersions versions = kSpokenVersions;
  // No more is read while this much waits to be written: a peer that asks and does
  // not read the answers waits, and costs no more memory.
  size_t unread_answers_bytes_max = 64u << 20;
  Duration unacknowledged_max{10'000'000};  // Then a silent peer counts as gone.
  TlsKeeper* tls = nullptr;                 // Outlives the connection; nullptr: plaintext only.
};

// Owned by shared_ptr; single-threaded. Whoever made it calls Close in the end.
class TcpConnection : public std::enable_shared_from_this<TcpConnection> {
 public:
  struct Events {
    // The view is good during the call.
    std::function<void(const ParsedFrame&)> on_frame;
    // Optional: the peer has said hello, and frames of this version go both ways.
    std::function<void(uint8_t)> on_version;
    // Called with optional TLS: the peer answers in plaintext. StartAgain, or Close.
    std::function<void()> on_plaintext;
    // Broken, by the peer, the network, a refusal or a bad frame (kCorrupt, kUnsupported):
    // once, and never after Close.
    std::function<void(const Error&)> on_broken;
  };

  // `corked` outlives every Send.
  TcpConnection(PeerSocket socket, TcpConnectionOptions options, CorkedConnections* corked, Events events);

  // Once the socket is connected: begins to read and, after the handshake if there is to
  // be one, to write.
  void Open(TlsRole role);
  bool open() const { return open_; }
  // With a new socket, which is to be connected, and in plaintext; nothing that was to be
  // sent is lost.
  void StartAgain();

  // Corks a frame until Flush, Open and the peer's hello. After Close or a break it is
  // dropped.
  void Send(const FrameHeader& header, SharedBytes body);
  // Writes as much as the socket takes; the rest follows when it takes more.
  void Flush();
  // Nothing is called any more.
  void Close();

  PeerSocket& socket() { return socket_; }
  const FrameQueue& queue() const { return queue_; }

 private:
  void Cork();
  void Configure();
  void Begin();
  void Read();
  void OnRead(const boost::system::error_code& error, size_t size);
  bool OnFirstBytes(std::string_view bytes);
  bool OnPlaintext(std::string_view bytes);
  bool OnSealed(std::string_view bytes);
  bool Shake();
  bool TakeFrames();
  void OnVersion(uint8_t version);
  void FlushPlain();
  void FlushSealed();
  bool WriteSealed();
  void FlushLater();
  void Refuse(const TlsRefusal& why);
  void Break(Error error);

  PeerSocket socket_;
  TcpConnectionOptions options_;
  CorkedConnections* corked_;
  Events events_;
  FrameBuffer input_;
  FrameQueue queue_;
  std::vector<asio::const_buffer> buffers_;
  // Of TLS only.
  TlsRole role_ = TlsRole::kListener;
  std::unique_ptr<TlsEngine> engine_;  // nullptr: plaintext, or not known yet.
  Bytes sealed_;                       // What was read, before it is deciphered.
  NodeId only_from_;                   // Whom the peer's certificate names, if it names one.
  bool heard_ = false;                 // It is known whether the peer speaks TLS.

  bool open_ = false;
  bool closed_ = false;
  bool corked_now_ = false;
  bool waits_for_room_ = false;  // The socket takes no more for now.
  bool reads_ = false;           // False: paused, too many answers wait.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_TCP_CONNECTION_H_
