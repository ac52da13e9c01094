#include "node/core/replication/quorum.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "common/base/check.h"

namespace dynamo {
namespace {

struct Asked {
  QuorumShortfall::Which which;
  uint32_t want;
};

constexpr QuorumShortfall::Which kAllKinds[] = {QuorumShortfall::Which::kR,  QuorumShortfall::Which::kPR,
                                                QuorumShortfall::Which::kW,  QuorumShortfall::Which::kPW,
                                                QuorumShortfall::Which::kDW, QuorumShortfall::Which::kNodeConfirms};

constexpr std::string_view kNValViolation = "{n_val_violation,";
constexpr std::string_view kTermMiddle = "_val_unsatisfied,";

std::string Describe(const Asked& asked) {
  return std::string(Name(asked.which)) + " is " + std::to_string(asked.want);
}

Status CheckAtMost(uint32_t n, std::initializer_list<Asked> all) {
  for (const Asked& asked : all) {
    if (asked.want <= n) continue;
    return Fail(Errc::kInvalidArgument, NValViolation(n) + " " + Describe(asked) + ", more than the " +
                                            std::to_string(n) + " replicas there are");
  }
  return {};
}

Status CheckAtLeastOne(uint32_t n, const Asked& required) {
  if (n < 1) return Fail(Errc::kInvalidArgument, "n_val is 0: it must be at least 1");
  if (required.want < 1) return Fail(Errc::kInvalidArgument, Describe(required) + ": it must be at least 1");
  return {};
}

// Reads a number and what must follow it off the front of `text`.
std::optional<uint32_t> TakeNumber(std::string_view& text, char then) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != then) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  return number;
}

}  // namespace

uint32_t Resolve(QuorumValue value, QuorumValue fallback, uint32_t n) {
  if (value.is_default()) value = fallback.is_default() ? QuorumValue::Quorum() : fallback;
  switch (value.kind) {
    case QuorumValue::Kind::kNumber: return value.number;
    case QuorumValue::Kind::kOne: return 1;
    case QuorumValue::Kind::kAll: return n;
    case QuorumValue::Kind::kQuorum:
    case QuorumValue::Kind::kDefault: break;
  }
  return n / 2 + 1;
}

Status Validate(const ReadQuorum& quorum) {
  using Which = QuorumShortfall::Which;
  const Asked r{Which::kR, quorum.r};
  if (Status status = CheckAtLeastOne(quorum.n, r); !status) return status;
  return CheckAtMost(quorum.n, {r, {Which::kPR, quorum.pr}, {Which::kNodeConfirms, quorum.node_confirms}});
}

Status Validate(const WriteQuorum& quorum) {
  using Which = QuorumShortfall::Which;
  const Asked w{Which::kW, quorum.w};
  if (Status status = CheckAtLeastOne(quorum.n, w); !status) return status;
  return CheckAtMost(
      quorum.n, {w, {Which::kPW, quorum.pw}, {Which::kDW, quorum.dw}, {Which::kNodeConfirms, quorum.node_confirms}});
}

std::string NValViolation(uint32_t n) { return std::string(kNValViolation) + std::to_string(n) + "}"; }

std::optional<uint32_t> ParseNValViolation(std::string_view message) {
  if (!message.starts_with(kNValViolation)) return std::nullopt;
  message.remove_prefix(kNValViolation.size());
  return TakeNumber(message, '}');
}

std::string_view Name(QuorumShortfall::Which which) {
  switch (which) {
    case QuorumShortfall::Which::kR: return "r";
    case QuorumShortfall::Which::kPR: return "pr";
    case QuorumShortfall::Which::kW: return "w";
    case QuorumShortfall::Which::kPW: return "pw";
    case QuorumShortfall::Which::kDW: return "dw";
    case QuorumShortfall::Which::kNodeConfirms: return "node_confirms";
  }
  DYNAMO_CHECK(false);
}

std::string RiakTerm(const QuorumShortfall& shortfall) {
  return "{" + std::string(Name(shortfall.which)) + std::string(kTermMiddle) + std::to_string(shortfall.want) + "," +
         std::to_string(shortfall.got) + "}";
}

std::optional<QuorumShortfall> ParseRiakTerm(std::string_view message) {
  for (const QuorumShortfall::Which which : kAllKinds) {
    const std::string opening = "{" + std::string(Name(which)) + std::string(kTermMiddle);
    if (!message.starts_with(opening)) continue;
    message.remove_prefix(opening.size());
    const auto want = TakeNumber(message, ',');
    const auto got = want ? TakeNumber(message, '}') : std::nullopt;
    if (!got) return std::nullopt;
    return QuorumShortfall{which, *want, *got};
  }
  return std::nullopt;
}

std::string RiakSentence(const QuorumShortfall& shortfall) {
  std::string name(Name(shortfall.which));
  if (shortfall.which != QuorumShortfall::Which::kNodeConfirms) {
    for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
  }
  return name + "-value unsatisfied: " + std::to_string(shortfall.got) + "/" + std::to_string(shortfall.want);
}

std::optional<QuorumShortfall> FirstShortfall(std::span<const QuorumRequirement> requirements, bool closed) {
  auto at = std::ranges::find_if(requirements, &QuorumRequirement::out_of_reach);
  if (at == requirements.end() || !closed) at = std::ranges::find_if_not(requirements, &QuorumRequirement::met);
  if (at == requirements.end()) return std::nullopt;
  return at->count;
}

void WriteTally::OnAsked(bool primary) {
  DYNAMO_CHECK(!closed_);
  ++pending_;
  pending_primary_ += primary;
}

void WriteTally::Answered(bool primary) {
  DYNAMO_CHECK(pending_ >= 1 && pending_primary_ >= primary);
  --pending_;
  pending_primary_ -= primary;
}

void WriteTally::OnStored(bool primary, bool durable) {
  Answered(primary);
  ++stored_;
  stored_primary_ += primary;
  durable_ += durable;
}

void WriteTally::OnDurable() {
  DYNAMO_CHECK(durable_ < stored_);
  ++durable_;
}

void WriteTally::OnFailed(bool primary) { Answered(primary); }

std::array<QuorumRequirement, 4> WriteTally::Requirements() const {
  using Which = QuorumShortfall::Which;
  const uint32_t primaries = stored_primary_ + pending_primary_;
  const uint32_t all = stored_ + pending_;
  return {{{{Which::kW, quorum_.w, stored_}, all},
           {{Which::kPW, quorum_.pw, stored_primary_}, primaries},
           {{Which::kDW, quorum_.dw, durable_}, all},
           {{Which::kNodeConfirms, quorum_.node_confirms, stored_}, all}}};
}

Verdict WriteTally::verdict() const {
  const auto requirements = Requirements();
  if (std::ranges::all_of(requirements, &QuorumRequirement::met)) return Verdict::kMet;
  const bool lost = closed_ && std::ranges::any_of(requirements, &QuorumRequirement::out_of_reach);
  return lost ? Verdict::kUnreachable : Verdict::kPending;
}

std::optional<QuorumShortfall> WriteTally::shortfall() const { return FirstShortfall(Requirements(), closed_); }

}  // namespace dynamo
