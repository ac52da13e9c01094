// Voters and proposers of a register, and every message they ever sent: a state
// that a test steps through, all ways or at random.
//
// A message stays for ever and may be delivered at any time, any number of times,
// or never: so loss, repetition and reordering are all in it. A proposer may give
// up at any step and begin again under a new boot number, as after a crash.
#ifndef DYNAMO_TESTS_UNIT_CORE_CONSENSUS_MODEL_H_
#define DYNAMO_TESTS_UNIT_CORE_CONSENSUS_MODEL_H_

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "node/core/consensus/acceptor.h"
#include "node/core/consensus/proposer.h"

namespace dynamo {

struct RegisterModelConfig {
  size_t voters = 3;                                      // That exist; the voter sets below are of them.
  std::vector<std::set<uint64_t>> voter_sets{{1, 2, 3}};  // The first decides the first decision.
  std::vector<uint32_t> attempts{1, 1};                   // Of each proposer.
  uint64_t epochs_max = 2;                                // No decision beyond.
  bool syncs_before_answer = true;
  bool refusals = true;  // Proposers hear of them.
};

class RegisterModel {
 public:
  explicit RegisterModel(RegisterModelConfig config) : config_(std::move(config)) {
    voters_.resize(config_.voters);
    for (uint32_t attempts : config_.attempts) {
      proposers_.emplace_back();
      proposers_.back().attempts_left = attempts;
    }
    chosen_[1] = "0";
  }

  // Everything that can happen next, as steps to take.
  struct Step {
    enum class Kind : uint8_t { kAttempt, kRequest, kAnswer, kLearn, kSync, kCrash } kind;
    size_t who = 0;      // Proposer or voter,
    size_t message = 0;  // and what it gets.
  };
  std::vector<Step> Steps() const {
    std::vector<Step> steps;
    for (size_t p = 0; p < proposers_.size(); ++p) AddProposerSteps(p, &steps);
    for (size_t v = 0; v < voters_.size(); ++v) AddVoterSteps(v, &steps);
    return steps;
  }

  void Take(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kAttempt: return Attempt(proposers_[step.who]);
      case Step::Kind::kRequest: return DeliverRequest(step.who, requests_[step.message]);
      case Step::Kind::kAnswer: return DeliverAnswer(step.who, answers_[step.message]);
      case Step::Kind::kLearn: return Learn(step);
      case Step::Kind::kSync: voters_[step.who].durable = voters_[step.who].state; return;
      case Step::Kind::kCrash: voters_[step.who].state = voters_[step.who].durable; return;
    }
  }

  // Empty: all is well.
  const std::string& violation() const { return violation_; }
  uint64_t decided() const { return chosen_.rbegin()->first; }

  // Names the state among all: what differs only in history that no step can see is
  // one state.
  Hash128 Key() const {
    std::set<std::string> messages;
    for (const Request& r : requests_) messages.insert(Text(r));
    for (const Answer& a : answers_) {
      if (IsLive(a)) messages.insert(Text(a));
    }
    std::string text;
    for (const std::string& message : messages) text += message + ';';
    for (const Voter& v : voters_) {
      text += EncodeAcceptorState(v.state) + EncodeAcceptorState(v.durable) + v.adopted + '|';
    }
    for (const ProposerNode& p : proposers_) {
      text += fmt::format("{}/{}/{}/", p.attempts_left, p.adopted, p.run ? static_cast<int>(p.run->phase()) : -1);
      if (p.run) text += fmt::format("{}/{}/{}/", p.run->value(), p.run->highest().round, fmt::join(p.heard, ","));
      text += '|';
    }
    return HashOf(text);
  }

 private:
  struct Voter {
    AcceptorState state, durable;
    std::string adopted = "0";
  };
  struct ProposerNode {
    uint32_t attempts_left = 0;
    uint64_t boot = 0;
    std::string adopted = "0";
    std::optional<Proposer> run;
    TopologyVersion decision;
    std::set<size_t> heard;  // Voters whose answer in this phase was taken in.
  };
  struct Request {
    size_t proposer;
    TopologyVersion decision;
    Ballot ballot;
    std::optional<std::string> value;  // None: prepare.
  };
  struct Answer {
    size_t proposer;
    size_t voter;
    bool to_accept;
    TopologyVersion decision;
    VoterAnswer answer;
  };

  // A value is the values before it and its own letter: "0", "0a1", "0a1b0"...;
  // the digit says which voters decide what follows.
  static TopologyVersion VersionOf(const std::string& value) { return {1, 1 + (value.size() - 1) / 2}; }
  const std::set<uint64_t>& VotersOf(const std::string& value) const {
    return config_.voter_sets[static_cast<size_t>(value.back() - '0')];
  }
  static std::string Text(const Ballot& b) { return fmt::format("{}.{}.{}", b.round, b.boot, b.node.value); }
  static std::string Text(const Request& r) {
    return fmt::format("{}:{}:{}:{}", r.proposer, r.decision.epoch, Text(r.ballot), r.value.value_or("-"));
  }
  static std::string Text(const Answer& a) {
    return fmt::format("{}>{}:{}{}:{}:{}:{}:{}", a.voter, a.proposer, a.decision.epoch, a.to_accept,
                       static_cast<int>(a.answer.kind), Text(a.answer.ballot), Text(a.answer.highest),
                       Text(a.answer.accepted)) +
           a.answer.value;
  }

  // Its proposer is at the phase that it answers, and has not heard that voter in it.
  bool IsLive(const Answer& answer) const {
    const ProposerNode& proposer = proposers_[answer.proposer];
    const auto asked_in = answer.to_accept ? Proposer::Phase::kAccepting : Proposer::Phase::kPreparing;
    return proposer.run && proposer.run->phase() == asked_in && proposer.run->ballot() == answer.answer.ballot;
  }

  void AddProposerSteps(size_t p, std::vector<Step>* steps) const {
    const ProposerNode& proposer = proposers_[p];
    if (proposer.attempts_left > 0 && VersionOf(proposer.adopted).epoch < config_.epochs_max) {
      steps->push_back({Step::Kind::kAttempt, p, 0});
    }
    for (size_t m = 0; m < answers_.size(); ++m) {
      const bool to_it = answers_[m].proposer == p && !proposer.heard.contains(answers_[m].voter);
      if (to_it && IsLive(answers_[m])) steps->push_back({Step::Kind::kAnswer, p, m});
    }
    for (const auto& [epoch, value] : chosen_) {
      const bool known = known_.contains(value);
      if (known && epoch == VersionOf(proposer.adopted).epoch + 1) steps->push_back({Step::Kind::kLearn, p, epoch});
    }
  }

  void AddVoterSteps(size_t v, std::vector<Step>* steps) const {
    for (size_t m = 0; m < requests_.size(); ++m) steps->push_back({Step::Kind::kRequest, v, m});
    for (const auto& [epoch, value] : chosen_) {
      if (known_.contains(value) && epoch == VersionOf(voters_[v].adopted).epoch + 1) {
        steps->push_back({Step::Kind::kLearn, proposers_.size() + v, epoch});
      }
    }
    if (voters_[v].state == voters_[v].durable) return;
    steps->push_back({Step::Kind::kSync, v, 0});
    steps->push_back({Step::Kind::kCrash, v, 0});
  }

  void Attempt(ProposerNode& proposer) {
    const auto p = static_cast<size_t>(&proposer - proposers_.data());
    --proposer.attempts_left;
    const Ballot heard = proposer.run ? proposer.run->highest() : Ballot{};
    const Ballot own{0, ++proposer.boot, NodeId{p + 1}};
    const std::string letter(1, static_cast<char>('a' + p * 8 + proposer.boot));
    const size_t next_set = (p + proposer.boot) % config_.voter_sets.size();
    const std::set<uint64_t>& voters = VotersOf(proposer.adopted);
    std::vector<NodeId> ids;
    for (uint64_t voter : voters) ids.push_back(NodeId{voter});
    proposer.decision = NextDecision(VersionOf(proposer.adopted));
    proposer.run.emplace(ids, Outbid(own, heard), proposer.adopted + letter + std::to_string(next_set));
    proposer.heard.clear();
    requests_.push_back({p, proposer.decision, proposer.run->ballot(), std::nullopt});
  }

  void DeliverRequest(size_t v, const Request& request) {
    Voter& voter = voters_[v];
    const TopologyVersion adopted = VersionOf(voter.adopted);
    // As the service does: who is no voter of that decision is not asked.
    if (request.decision == NextDecision(adopted) && !VotersOf(voter.adopted).contains(v + 1)) return;
    VoterStep step = request.value ? OnAccept(voter.state, adopted, request.decision, request.ballot, *request.value)
                                   : OnPrepare(voter.state, adopted, request.decision, request.ballot);
    if (step.next) voter.state = *step.next;
    if (config_.syncs_before_answer) voter.durable = voter.state;
    if (step.answer.kind == VoterAnswer::Kind::kAccepted) OnAccepted(v, request);
    Send({request.proposer, v, request.value.has_value(), request.decision, step.answer});
  }

  // Left out: what its proposer would pass over now and for ever; and refusals, if
  // so configured, since a proposer may give up without one.
  void Send(const Answer& answer) {
    const std::optional<Proposer>& run = proposers_[answer.proposer].run;
    const auto asked_in = answer.to_accept ? Proposer::Phase::kAccepting : Proposer::Phase::kPreparing;
    if (!run || run->ballot() != answer.answer.ballot || run->phase() > asked_in) return;
    if (!config_.refusals && answer.answer.kind > VoterAnswer::Kind::kAccepted) return;
    const std::string text = Text(answer);
    if (std::ranges::none_of(answers_, [&](const Answer& a) { return Text(a) == text; })) answers_.push_back(answer);
  }

  // The ghost of the test: who has ever accepted what.
  void OnAccepted(size_t v, const Request& request) {
    auto& who = accepted_[{request.decision.epoch, request.ballot, *request.value}];
    who.insert(v + 1);
    const std::string base = request.value->substr(0, request.value->size() - 2);
    const std::set<uint64_t>& voters = VotersOf(base);
    const auto counted = std::ranges::count_if(who, [&](uint64_t id) { return voters.contains(id); });
    if (static_cast<size_t>(counted) <= voters.size() / 2) return;
    const auto [chosen, fresh] = chosen_.emplace(request.decision.epoch, *request.value);
    if (chosen->second != *request.value) {
      violation_ = fmt::format("epoch {}: {} and {} are both chosen", chosen->first, chosen->second, *request.value);
    }
    if (VersionOf(*request.value) != request.decision) violation_ = "a value of another epoch: " + *request.value;
    const auto before = chosen_.find(request.decision.epoch - 1);
    if (before == chosen_.end() || before->second != base) violation_ = *request.value + " follows nothing chosen";
  }

  void DeliverAnswer(size_t p, const Answer& answer) {
    ProposerNode& proposer = proposers_[p];
    proposer.heard.insert(answer.voter);
    const Proposer::Phase before = proposer.run->phase();
    const auto asked_in = answer.to_accept ? Proposer::Phase::kAccepting : Proposer::Phase::kPreparing;
    const Proposer::Phase now = proposer.run->OnAnswer(NodeId{answer.voter + 1}, asked_in, answer.answer);
    if (now == before) return;
    proposer.heard.clear();
    if (now == Proposer::Phase::kAccepting) {
      requests_.push_back({p, proposer.decision, proposer.run->ballot(), proposer.run->value()});
    }
    if (now != Proposer::Phase::kChosen) return;
    const auto chosen = chosen_.find(proposer.decision.epoch);
    if (chosen == chosen_.end() || chosen->second != proposer.run->value()) {
      violation_ = proposer.run->value() + " is held for chosen and is not";
      return;
    }
    known_.insert(proposer.run->value());
    proposer.adopted = proposer.run->value();
    proposer.run.reset();
  }

  void Learn(const Step& step) {
    const std::string& value = chosen_.at(step.message);
    if (step.who >= proposers_.size()) {
      voters_[step.who - proposers_.size()].adopted = value;
    } else {
      proposers_[step.who].adopted = value;
      proposers_[step.who].run.reset();
    }
  }

  RegisterModelConfig config_;
  std::vector<Voter> voters_;
  std::vector<ProposerNode> proposers_;
  std::vector<Request> requests_;
  std::vector<Answer> answers_;
  std::map<std::tuple<uint64_t, Ballot, std::string>, std::set<uint64_t>> accepted_;
  std::map<uint64_t, std::string> chosen_;  // By epoch.
  std::set<std::string> known_;             // Of those, what some proposer knows, and so may spread.
  std::string violation_;
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_CORE_CONSENSUS_MODEL_H_
