// Reads that no cache stands in between: for whatever destroys something.
#ifndef DYNAMO_COMMON_KUBE_LIVE_READER_H_
#define DYNAMO_COMMON_KUBE_LIVE_READER_H_

#include <optional>
#include <string>

#include "common/kube/rest_client.h"

namespace dynamo::kube {

// A type of its own, so that a signature says that a cached answer will not do.
class LiveReader {
 public:
  explicit LiveReader(RestClient* client) : client_(client) {}

  // nullopt: the server says that it does not exist. An error is neither.
  Answer<std::optional<Object>> Get(const Resource& resource, const std::string& namespace_,
                                    const std::string& name) const {
    auto object = client_->Get(resource, namespace_, name);
    if (object) return std::optional<Object>(std::move(*object));
    if (object.error().kind == ApiError::Kind::kNotFound) return std::optional<Object>();
    return tl::unexpected(object.error());
  }

  Answer<bool> Serves(const Resource& resource) const { return client_->Serves(resource); }

  Answer<ObjectList> List(const Resource& resource, const std::string& namespace_,
                          const std::string& label_selector) const {
    return client_->List(resource, namespace_, {label_selector, ""});
  }

 private:
  RestClient* client_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_LIVE_READER_H_
