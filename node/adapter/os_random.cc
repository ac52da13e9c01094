#include "node/adapter/os_random.h"

#include <sys/random.h>

#include <cerrno>

#include "common/base/check.h"

namespace dynamo {
namespace {

uint64_t FromKernel() {
  uint64_t value = 0;
  for (;;) {
    // Up to 256 bytes come whole, but the wait for the first entropy after boot
    // can be interrupted.
    const ssize_t got = getrandom(&value, sizeof(value), 0);
    if (got == sizeof(value)) return value;
    DYNAMO_CHECK(got < 0 && errno == EINTR);
  }
}

}  // namespace

OsRandom::OsRandom() : rng_(FromKernel()) {}

uint64_t OsRandom::Secret() { return FromKernel(); }

}  // namespace dynamo
