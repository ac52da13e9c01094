#include "node/adapter/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace dynamo {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
using FoundSeeds = Result<std::vector<std::string>>;

void AddNew(std::vector<std::string> found, std::vector<std::string>* all) {
  for (std::string& seed : found) {
    if (std::ranges::find(*all, seed) == all->end()) all->push_back(std::move(seed));
  }
}

}  // namespace

// Shared with the callback of whoever looks up, which may come after the coroutine is gone.
struct Seeds::Lookup {
  explicit Lookup(Scope& scope) : done(std::make_unique<Event>(scope)) {}

  void Finish(FoundSeeds result) {
    if (!done) return;
    found = std::move(result);
    done->Set();
  }

  std::unique_ptr<Event> done;  // nullptr: nobody waits any more.
  FoundSeeds found = Fail(Errc::kTimeout, "no answer in time");
};

// The event belongs to the frame that waits, however that ends.
struct Seeds::LookupGuard {
  std::shared_ptr<Lookup> lookup;
  ~LookupGuard() { lookup->done.reset(); }
};

Seeds::Seeds(Scope* scope, Clock* clock, std::vector<std::string> listed, std::optional<HostPort> dns, Ask ask)
    : scope_(scope), clock_(clock), listed_(std::move(listed)), dns_(std::move(dns)), ask_(std::move(ask)) {
  if (ask_) thread_.emplace(1);
}

Seeds::~Seeds() {
  if (thread_) thread_->join();
}

Async<FoundSeeds> Seeds::Await(std::shared_ptr<Lookup> lookup) {
  const LookupGuard guard{lookup};
  co_await WaitUntil(*lookup->done, *clock_, clock_->Now() + kLookupTimeout);
  co_return std::move(lookup->found);
}

Async<FoundSeeds> Seeds::ResolveName() {
  struct Cancel {
    std::shared_ptr<Resolver> resolver;
    ~Cancel() { resolver->cancel(); }
  };
  const Cancel name{std::make_shared<Resolver>(scope_->executor())};
  auto lookup = std::make_shared<Lookup>(*scope_);
  name.resolver->async_resolve(
      dns_->host, std::to_string(dns_->port),
      [lookup, host = dns_->host](const boost::system::error_code& error, const Resolver::results_type& results) {
        std::vector<std::string> found;
        for (const auto& entry : results) {
          const auto endpoint = entry.endpoint();
          found.push_back(ToString(HostPort{endpoint.address().to_string(), endpoint.port()}));
        }
        if (!error) return lookup->Finish(std::move(found));
        lookup->Finish(Fail(Errc::kUnavailable, fmt::format("look up seeds at {}: {}", host, error.message())));
      });
  co_return co_await Await(lookup);
}

Async<FoundSeeds> Seeds::AskBlocking() {
  auto lookup = std::make_shared<Lookup>(*scope_);
  asio::post(*thread_, [lookup, ask = ask_, executor = scope_->executor()] {
    asio::post(executor, [lookup, found = ask()]() mutable { lookup->Finish(std::move(found)); });
  });
  co_return co_await Await(lookup);
}

Async<FoundSeeds> Seeds::Resolve() {
  std::vector<std::string> all = listed_;
  Status failed;
  if (dns_) {
    auto found = co_await ResolveName();
    if (!found) failed = Fail(std::move(found.error()));
    if (found) AddNew(std::move(*found), &all);
  }
  if (ask_) {
    auto found = co_await AskBlocking();
    if (!found) failed = Fail(std::move(found.error()));
    if (found) AddNew(std::move(*found), &all);
  }
  if (all.empty() && !failed) co_return Fail(std::move(failed.error()));
  co_return all;
}

}  // namespace dynamo
