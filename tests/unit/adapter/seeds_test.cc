#include "node/adapter/seeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <memory>
#include <optional>

#include "node/adapter/asio_clock.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;

class SeedsTest : public ::testing::Test {
 protected:
  using Answer = Result<std::vector<std::string>>;

  void Ask(std::vector<std::string> listed, std::optional<HostPort> dns, Seeds::Ask ask = nullptr) {
    seeds_ = std::make_unique<Seeds>(scope_.get(), &clock_, std::move(listed), std::move(dns), std::move(ask));
    scope_->Spawn(Keep(seeds_.get(), &answer_));
  }
  Answer Resolve(std::vector<std::string> listed, std::optional<HostPort> dns = std::nullopt,
                 Seeds::Ask ask = nullptr) {
    Ask(std::move(listed), std::move(dns), std::move(ask));
    const auto work = asio::make_work_guard(io_);
    io_.restart();
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
  const std::string no_name(64, 'x');  // Longer than a label may be: refused without asking a server.
  const auto none = Resolve({}, HostPort{no_name, 8099});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::kUnavailable);
  answer_.reset();
  EXPECT_THAT(*Resolve({"a:1"}, HostPort{no_name, 8099}), ElementsAre("a:1"));
}

TEST_F(SeedsTest, WhoIsAskedAddsToTheList) {
  const auto answer = Resolve({"a:1"}, std::nullopt, [] { return std::vector<std::string>{"b:1", "a:1"}; });
  EXPECT_THAT(*answer, ElementsAre("a:1", "b:1"));
}

TEST_F(SeedsTest, WhoIsAskedMayFailWhenSomebodyIsKnown) {
  const auto refuse = [] { return Fail(Errc::kUnavailable, "the API server is away"); };
  EXPECT_THAT(*Resolve({"a:1"}, std::nullopt, refuse), ElementsAre("a:1"));
  answer_.reset();
  EXPECT_EQ(Resolve({}, std::nullopt, refuse).error().message, "the API server is away");
}

TEST_F(SeedsTest, ANodeKilledWhileItAsksLeavesNothing) {
  std::promise<void> asked, go_on;
  Ask({}, std::nullopt, [&] {
    asked.set_value();
    go_on.get_future().wait();
    return std::vector<std::string>{"a:1"};
  });
  io_.poll();
  asked.get_future().wait();
  scope_->Kill();
  io_.restart();
  io_.poll();
  go_on.set_value();
  seeds_.reset();
  scope_.reset();
  io_.restart();
  io_.poll();
  EXPECT_FALSE(answer_.has_value());
}

TEST_F(SeedsTest, ANodeKilledWhileItLooksUpLeavesNothing) {
  Ask({}, HostPort{"127.0.0.1", 8099});
  // One by one: the answer, however quick, is a handler of its own, and is not run.
  while (scope_->suspended() == 0) io_.run_one();
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
