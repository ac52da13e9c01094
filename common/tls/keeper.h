// One use of TLS in a node: its mode, its context, which follows the files, and the
// figures that tell how it goes.
#ifndef DYNAMO_COMMON_TLS_KEEPER_H_
#define DYNAMO_COMMON_TLS_KEEPER_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/base/failure_log.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "common/tls/context.h"
#include "common/tls/refusal.h"

namespace dynamo {

// Of a port. Optional: it takes both, TLS and plaintext.
enum class TlsMode { kOff, kOptional, kRequired };

// The first byte of a connection that begins with TLS.
inline constexpr unsigned char kTlsFirstByte = 0x16;

// Any thread may use it, but for Look. Where TLS is off there is none.
class TlsKeeper {
 public:
  // The files must be good. `metrics` outlives this.
  static Result<std::unique_ptr<TlsKeeper>> Open(TlsUse use, TlsMode mode, std::string folder, Metrics* metrics,
                                                 Logger log);

  TlsUse use() const { return use_; }
  TlsMode mode() const { return mode_; }
  bool required() const { return mode_ == TlsMode::kRequired; }
  // For a new connection.
  std::shared_ptr<const TlsContext> context() const;

  // Reads the files; takes them if they have changed and are good. One thread at a time.
  void Look();

  void CountHandshake() { handshakes_total_.Add(); }
  // Counts and, of each reason once a minute at most, logs. `who`: the address, as far as it is known.
  void Refused(const TlsRefusal& why, std::string_view who);

 private:
  TlsKeeper(TlsUse use, TlsMode mode, std::string folder, Metrics* metrics, Logger log);
  void Take(std::shared_ptr<const TlsContext> context);
  void OnBadFiles(const Error& error);

  const TlsUse use_;
  const TlsMode mode_;
  const std::string folder_;
  Metrics* metrics_;
  Logger log_;
  TlsFiles seen_;           // The latest, good or bad.
  std::string last_error_;  // Of the latest look; logged once.
  mutable std::mutex mutex_;
  // Guarded by the mutex.
  std::shared_ptr<const TlsContext> context_;
  std::map<TlsReason, FailureLog> refusals_;

  Counter& reloads_ok_total_;
  Counter& reloads_failed_total_;
  Counter& handshakes_total_;
  std::map<TlsReason, Counter*> refused_total_;
};

}  // namespace dynamo

#endif  // DYNAMO_COMMON_TLS_KEEPER_H_
