// A whole handshake between two sessions, in memory.
#ifndef DYNAMO_TESTS_UNIT_TLS_HANDSHAKE_H_
#define DYNAMO_TESTS_UNIT_TLS_HANDSHAKE_H_

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <optional>
#include <utility>

#include "common/tls/context.h"
#include "common/tls/refusal.h"

namespace dynamo {

struct Handshake {
  TlsSession caller;
  TlsSession listener;
  // Why each side has refused; nullopt: it has not.
  std::optional<TlsRefusal> caller_refused;
  std::optional<TlsRefusal> listener_refused;

  bool ok() const { return !caller_refused && !listener_refused; }

  Handshake(TlsSession calls, TlsSession listens) : caller(std::move(calls)), listener(std::move(listens)) {
    BIO* ours = nullptr;
    BIO* theirs = nullptr;
    BIO_new_bio_pair(&ours, 0, &theirs, 0);
    SSL_set_bio(caller.get(), ours, ours);
    SSL_set_bio(listener.get(), theirs, theirs);
    SSL_set_connect_state(caller.get());
    SSL_set_accept_state(listener.get());
    // The caller believes it is done before the listener has seen its certificate: a read
    // shows what the listener thought of it.
    for (int round = 0; round < 6; ++round) {
      Step(caller.get(), &caller_refused);
      Step(listener.get(), &listener_refused);
    }
  }

 private:
  static void Step(SSL* session, std::optional<TlsRefusal>* refused) {
    if (*refused) return;
    ERR_clear_error();
    char byte = 0;
    const int result = SSL_is_init_finished(session) != 0 ? SSL_read(session, &byte, 1) : SSL_do_handshake(session);
    if (result > 0 || SSL_get_error(session, result) == SSL_ERROR_WANT_READ) return;
    *refused = TlsRefusalOf(session, ERR_peek_error());
  }
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_TLS_HANDSHAKE_H_
