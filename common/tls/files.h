// The PEM files of one use of TLS, named as Kubernetes mounts a Secret.
#ifndef DYNAMO_COMMON_TLS_FILES_H_
#define DYNAMO_COMMON_TLS_FILES_H_

#include <string>

#include "common/base/result.h"

namespace dynamo {

struct TlsFiles {
  std::string certificate;  // tls.crt: ours, then those between it and the authority.
  std::string key;          // tls.key.
  std::string authorities;  // ca.crt; empty: there is none.

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// kNotFound: tls.crt or tls.key cannot be read; names it. kConflict: the files were being
// exchanged; look again later.
Result<TlsFiles> ReadTlsFiles(const std::string& folder);

// A text file of at most a mebibyte, whole.
Result<std::string> ReadSmallFile(const std::string& path);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_TLS_FILES_H_
