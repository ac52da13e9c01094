#include "node/api/password_checks.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace dynamo {
namespace {

// The hash belongs to it, so that a new password makes the old one's digest worthless. Each
// part is preceded by its length: no two pairs give the same text.
std::string ToDigest(const PasswordHash& stored, const std::string& password) {
  const std::string hash = ToText(stored);
  return std::to_string(hash.size()) + ":" + hash + password;
}

}  // namespace

PasswordChecks::PasswordChecks() : key_(NewSalt() + NewSalt()) {}

Async<Result<bool>> PasswordChecks::Check(Scope* scope, PasswordHash stored, std::string password) {
  MacTag digest;
  {
    const std::lock_guard lock(mutex_);
    digest = key_.Sign(ToDigest(stored, password));
    if (Remembers(digest)) co_return true;
    if (waiting_.size() >= kChecksMax && !waiting_.contains(digest)) {
      co_return Fail(Errc::kOverloaded, "overload: too many clients show their passwords at once; try again later");
    }
  }
  auto right = std::make_shared<bool>(false);
  co_await scope->Suspend(
      [&](Scope::Ticket ticket) { Join(digest, {scope, ticket, right}, std::move(stored), std::move(password)); });
  co_return *right;
}

uint64_t PasswordChecks::computed() const {
  const std::lock_guard lock(mutex_);
  return computed_;
}

void PasswordChecks::Stop() {
  thread_.stop();
  thread_.join();
}

bool PasswordChecks::Remembers(const MacTag& digest) {
  const auto found = remembered_.find(digest);
  if (found == remembered_.end()) return false;
  if (Clock::now() < found->second) return true;
  remembered_.erase(found);
  return false;
}

void PasswordChecks::Join(const MacTag& digest, Waiter waiter, PasswordHash stored, std::string password) {
  const std::lock_guard lock(mutex_);
  const auto [entry, first] = waiting_.try_emplace(digest);
  entry->second.push_back(std::move(waiter));
  if (!first) return;
  asio::post(thread_, [this, digest, stored = std::move(stored), password = std::move(password)] {
    Compute(digest, stored, password);
  });
}

void PasswordChecks::Compute(const MacTag& digest, const PasswordHash& stored, const std::string& password) {
  const bool right = IsPassword(stored, password);
  const std::lock_guard lock(mutex_);
  ++computed_;
  if (right) Remember(digest);
  const auto waiters = waiting_.extract(digest);
  for (const Waiter& waiter : waiters.mapped()) {
    asio::post(waiter.scope->executor(), [waiter, right] {
      *waiter.right = right;
      waiter.scope->Resume(waiter.ticket);
    });
  }
}

void PasswordChecks::Remember(const MacTag& digest) {
  if (remembered_.size() >= kRememberedMax) remembered_.clear();
  remembered_[digest] = Clock::now() + kRememberedFor;
}

}  // namespace dynamo
