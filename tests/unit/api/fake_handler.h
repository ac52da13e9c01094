// A request handler that records what it is asked and answers what it is told.
#ifndef DYNAMO_TESTS_UNIT_API_FAKE_HANDLER_H_
#define DYNAMO_TESTS_UNIT_API_FAKE_HANDLER_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/env/random.h"
#include "node/env/request_handler.h"
#include "node/env/scope.h"

namespace dynamo {

class FakeHandler : public RequestHandler {
 public:
  Async<Result<GetReply>> Get(GetRequest request) override {
    gets.push_back(std::move(request));
    co_return get_reply;
  }
  Async<Result<PutReply>> Put(PutRequest request) override {
    puts.push_back(std::move(request));
    co_return put_reply;
  }
  Async<Status> Delete(DeleteRequest request) override {
    deletes.push_back(std::move(request));
    co_return delete_reply;
  }
  Result<BucketProperties> GetProperties(const std::string& type, const std::string&) override {
    if (type == "default" || type == "siblings") return properties;
    return Fail(Errc::kNotFound, "No bucket-type named '" + type + "'");
  }
  Async<Status> SetProperties(std::string type, std::string bucket, BucketPropertiesChange change) override {
    changes.push_back({std::move(type), std::move(bucket), change});
    co_return Status{};
  }
  NodeId node_id() const override { return NodeId{7}; }
  bool Parting() const override { return parting; }

  struct Change {
    std::string type, bucket;
    BucketPropertiesChange change;
  };
  std::vector<GetRequest> gets;
  std::vector<PutRequest> puts;
  std::vector<DeleteRequest> deletes;
  std::vector<Change> changes;
  Result<GetReply> get_reply = GetReply{};
  Result<PutReply> put_reply = PutReply{};
  Status delete_reply;
  BucketProperties properties;
  bool parting = false;
};

class FixedRandom : public Random {
 public:
  uint64_t Secret() override { return rng_.Next(); }
  Rng& rng() override { return rng_; }

 private:
  Rng rng_{1};
};

inline Sibling MakeSibling(uint64_t counter, std::string value, bool tombstone = false) {
  Sibling sibling;
  sibling.dot = {ActorId{1}, counter};
  sibling.tombstone = tombstone;
  sibling.last_modified_us = 1'700'000'000'250'000 + counter;
  sibling.content.value = std::move(value);
  sibling.content.content_type = tombstone ? "" : "text/plain";
  return sibling;
}

inline Object MakeObject(std::vector<Sibling> siblings) {
  Object object;
  for (const Sibling& sibling : siblings) object.clock.Add(sibling.dot);
  object.siblings = std::move(siblings);
  return object;
}

// Runs a coroutine that never waits for anything outside the io_context.
template <class T>
T RunNow(Async<T> work) {
  asio::io_context io{1};
  std::optional<T> out;
  auto run = [](Async<T> inner, std::optional<T>* result) -> Async<> { *result = co_await std::move(inner); };
  Scope scope(io.get_executor());
  scope.Spawn(run(std::move(work), &out));
  io.run();
  return std::move(*out);
}

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_API_FAKE_HANDLER_H_
