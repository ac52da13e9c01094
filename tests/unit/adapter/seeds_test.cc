#include "node/adapter/seeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "node/adapter/asio_clock.h"

namespace dynamo {
namespace {

using testing::Contains;
using testing::ElementsAre;

class SeedsTest : public testing::Test {
 protected:
  using Answer = Result<std::vector<std::string>>;

  void Ask(std::vector<std::string> listed, std::optional<HostPort> dns) {
    seeds_ = std::make_unique<Seeds>(scope_.get(), &clock_, std::move(listed), std::move(dns));
    scope_->Spawn(Keep(seeds_.get(), &answer_));
  }
  Answer Resolve(std::vector<std::string> listed, std::optional<HostPort> dns = std::nullopt) {
    Ask(std::move(listed), std::move(dns));
    while (!answer_) io_.run_one();
    return *answer_;
  }
  static Async<> Keep(Seeds* seeds, std::optional<Answer>* out) { *out = co_await seeds->Resolve(); }

  asio::io_context io_{1};
  AsioClock clock_{io_.get_executor()};
  std::unique_ptr<Scope> scope_ = std::make_unique<Scope>(io_.get_executor());
  std::unique_ptr<Seeds> seeds_;
  std::optional<Answer> answer_;
};

TEST_F(SeedsTest, TheListIsGivenAsItIs) {
  EXPECT_THAT(*Resolve({"10.0.0.1:8099", "b:8099"}), ElementsAre("10.0.0.1:8099", "b:8099"));
}

TEST_F(SeedsTest, OfANameEveryAddressIsASeed) {
  EXPECT_THAT(*Resolve({"a:1"}, HostPort{"127.0.0.1", 8099}), ElementsAre("a:1", "127.0.0.1:8099"));
}

TEST_F(SeedsTest, ASeedInBothIsOne) {
  EXPECT_THAT(*Resolve({"127.0.0.1:8099"}, HostPort{"127.0.0.1", 8099}), ElementsAre("127.0.0.1:8099"));
}

TEST_F(SeedsTest, ANameWithoutAnAnswerIsAnErrorOnlyWhenNothingElseIsKnown) {
  const auto none = Resolve({}, HostPort{"no such host.invalid", 8099});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::kUnavailable);
  answer_.reset();
  EXPECT_THAT(*Resolve({"a:1"}, HostPort{"no such host.invalid", 8099}), ElementsAre("a:1"));
}

TEST_F(SeedsTest, ANodeKilledWhileItLooksUpLeavesNothing) {
  Ask({}, HostPort{"no such host.invalid", 8099});
  io_.poll();
  scope_->Kill();
  io_.restart();
  io_.poll();
  scope_.reset();
  seeds_.reset();
  io_.restart();
  io_.run_for(std::chrono::milliseconds(200));
  EXPECT_FALSE(answer_.has_value());
}

}  // namespace
}  // namespace dynamo
