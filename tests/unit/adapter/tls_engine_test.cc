#include "node/adapter/tls_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "tests/lib/tls/test_authority.h"

namespace dynamo {
namespace {

using Progress = TlsEngine::Progress;

class TlsEngineTest : public ::testing::Test {
 protected:
  std::unique_ptr<TlsEngine> Make(const TlsFiles& files, TlsRole role) {
    const auto context = TlsContext::Make(TlsUse::kPeer, files);
    EXPECT_TRUE(context) << context.error().message;
    return std::make_unique<TlsEngine>((*context)->NewSession(), role);
  }
  // All that waits, in pieces of `step` bytes.
  static void Carry(TlsEngine& from, TlsEngine& to, size_t step = 1 << 20) {
    while (!from.output().empty()) {
      const std::string piece(from.output().substr(0, step));
      to.Receive(piece);
      from.Sent(piece.size());
    }
  }
  void Shake() {
    ASSERT_EQ(caller_->Shake(), Progress::kWaits);
    Carry(*caller_, *listener_);
    ASSERT_EQ(listener_->Shake(), Progress::kWaits);
    Carry(*listener_, *caller_);
    ASSERT_EQ(caller_->Shake(), Progress::kDone);
    Carry(*caller_, *listener_);
    ASSERT_EQ(listener_->Shake(), Progress::kDone);
    Carry(*listener_, *caller_);
  }
  static std::string ReadAll(TlsEngine& engine, size_t step) {
    std::string all, space(step, '\0');
    while (const auto size = engine.Read(space)) {
      if (*size == 0) break;
      all.append(space, 0, *size);
    }
    return all;
  }

  TestAuthority authority_{"authority"};
  TlsFiles files_ = authority_.IssueNode("demo");
  std::unique_ptr<TlsEngine> caller_ = Make(files_, TlsRole::kCaller);
  std::unique_ptr<TlsEngine> listener_ = Make(files_, TlsRole::kListener);
};

TEST_F(TlsEngineTest, WhatIsWrittenIsReadHoweverItIsCutOnTheWay) {
  Shake();
  const std::string first(40'000, 'a'), second(10, 'b');
  for (const size_t step : {size_t{1}, size_t{1000}, size_t{1} << 20}) {
    EXPECT_EQ(caller_->Write({asio::buffer(first), asio::buffer(second)}), first.size() + second.size());
    std::string got;
    while (!caller_->output().empty()) {
      listener_->Receive(caller_->output().substr(0, step));
      caller_->Sent(std::min(step, caller_->output().size()));
      got += ReadAll(*listener_, 777);
    }
    EXPECT_EQ(got, first + second) << "in pieces of " << step;
  }
}

TEST_F(TlsEngineTest, NothingReadableLooksLikeWhatWasWritten) {
  Shake();
  const std::string secret = "a secret of twenty bytes";
  caller_->Write({asio::buffer(secret)});
  EXPECT_EQ(caller_->output().find("secret"), std::string_view::npos);
}

TEST_F(TlsEngineTest, NoMoreIsEncryptedAtOnceThanWillSoonBeSent) {
  Shake();
  const std::string large(8 << 20, 'x');
  const size_t taken = caller_->Write({asio::buffer(large)});
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, large.size() / 8);
  EXPECT_LT(caller_->output().size(), large.size() / 8);
}

TEST_F(TlsEngineTest, AnEmptyInputIsNoEnd) {
  Shake();
  std::array<char, 10> space{};
  EXPECT_EQ(caller_->Read(space), size_t{0});
  EXPECT_FALSE(caller_->refusal());
}

TEST_F(TlsEngineTest, AFailedHandshakeLeavesWordForTheOtherSide) {
  listener_ = Make(authority_.IssueNode("another"), TlsRole::kListener);
  ASSERT_EQ(caller_->Shake(), Progress::kWaits);
  Carry(*caller_, *listener_);
  ASSERT_EQ(listener_->Shake(), Progress::kWaits);
  Carry(*listener_, *caller_);
  ASSERT_EQ(caller_->Shake(), Progress::kFailed);
  EXPECT_EQ(caller_->refusal()->reason, TlsReason::kWrongName);
  ASSERT_FALSE(caller_->output().empty());
  Carry(*caller_, *listener_);
  ASSERT_EQ(listener_->Shake(), Progress::kFailed);
  EXPECT_EQ(listener_->refusal()->reason, TlsReason::kRefusedByPeer);
}

TEST_F(TlsEngineTest, AnAlteredByteEndsTheConnection) {
  Shake();
  const std::string text = "hello";
  caller_->Write({asio::buffer(text)});
  std::string sealed(caller_->output());
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  listener_->Receive(sealed);
  std::array<char, 100> space{};
  EXPECT_EQ(listener_->Read(space), std::nullopt);
  ASSERT_TRUE(listener_->refusal());
  EXPECT_EQ(listener_->refusal()->reason, TlsReason::kProtocol);
}

TEST_F(TlsEngineTest, BytesThatAreNoTlsAreRefused) {
  listener_->Receive("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(listener_->Shake(), Progress::kFailed);
  EXPECT_EQ(listener_->refusal()->reason, TlsReason::kPlaintext);
}

}  // namespace
}  // namespace dynamo
