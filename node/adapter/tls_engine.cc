#include "node/adapter/tls_engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace dynamo {

TlsEngine::TlsEngine(TlsSession session, TlsRole role) : session_(std::move(session)) {
  DYNAMO_CHECK(session_ != nullptr);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  DYNAMO_CHECK(in != nullptr && out != nullptr);
  SSL_set_bio(session_.get(), in, out);
  role == TlsRole::kCaller ? SSL_set_connect_state(session_.get()) : SSL_set_accept_state(session_.get());
}

void TlsEngine::Receive(std::string_view sealed) {
  BIO* in = SSL_get_rbio(session_.get());
  while (!sealed.empty()) {
    const int taken = BIO_write(in, sealed.data(), static_cast<int>(std::min<size_t>(sealed.size(), 1 << 30)));
    DYNAMO_CHECK(taken > 0);
    sealed.remove_prefix(static_cast<size_t>(taken));
  }
}

TlsEngine::Progress TlsEngine::Shake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  const int why = SSL_get_error(session_.get(), result);
  const unsigned long error = ERR_peek_error();
  Collect();
  if (result == 1) return Progress::kDone;
  if (why == SSL_ERROR_WANT_READ) return Progress::kWaits;
  refusal_ = TlsRefusalOf(session_.get(), error);
  return Progress::kFailed;
}

std::optional<size_t> TlsEngine::Read(std::span<char> space) {
  ERR_clear_error();
  size_t size = 0;
  const int result = SSL_read_ex(session_.get(), space.data(), space.size(), &size);
  const int why = SSL_get_error(session_.get(), result);
  const unsigned long error = ERR_peek_error();
  Collect();
  if (result == 1) return size;
  if (why == SSL_ERROR_WANT_READ) return 0;
  if (why != SSL_ERROR_ZERO_RETURN) refusal_ = TlsRefusalOf(session_.get(), error);
  return std::nullopt;
}

size_t TlsEngine::Write(const std::vector<asio::const_buffer>& buffers) {
  size_t taken = 0;
  for (const asio::const_buffer& buffer : buffers) {
    std::string_view rest(static_cast<const char*>(buffer.data()), buffer.size());
    while (!rest.empty()) {
      if (taken >= kBatchBytes) return taken;
      ERR_clear_error();
      size_t size = 0;
      // Memory takes everything.
      DYNAMO_CHECK(SSL_write_ex(session_.get(), rest.data(), rest.size(), &size) == 1);
      Collect();
      taken += size;
      rest.remove_prefix(size);
    }
  }
  return taken;
}

void TlsEngine::Sent(size_t size) {
  sent_ += size;
  if (sent_ < output_.size()) return;
  output_.clear();
  sent_ = 0;
}

void TlsEngine::Collect() {
  BIO* out = SSL_get_wbio(session_.get());
  const size_t waiting = BIO_ctrl_pending(out);
  if (waiting == 0) return;
  const size_t before = output_.size();
  output_.resize(before + waiting);
  DYNAMO_CHECK(BIO_read(out, output_.data() + before, static_cast<int>(waiting)) == static_cast<int>(waiting));
}

}  // namespace dynamo
