// The calls that wait for an answer on one connection.
#ifndef DYNAMO_NODE_ADAPTER_CALL_TABLE_H_
#define DYNAMO_NODE_ADAPTER_CALL_TABLE_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "node/env/clock.h"
#include "node/env/transport.h"

namespace dynamo {

struct PendingCall {
  ReplyCallback reply;
  TimerId timer = 0;
  uint64_t end_offset = 0;  // In the stream of the connection: of the request's last byte.
};

// Ids are never reused: an answer that comes after the deadline finds nothing.
class CallTable {
 public:
  uint64_t Add(PendingCall call) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    ++slot.generation;
    slot.call.emplace(std::move(call));
    ++size_;
    return (uint64_t{slot.generation} << 32) | index;
  }

  // nullptr: answered, late or never made.
  PendingCall* Find(uint64_t id) {
    const auto index = static_cast<uint32_t>(id);
    if (index >= slots_.size() || slots_[index].generation != id >> 32 || !slots_[index].call) return nullptr;
    return &*slots_[index].call;
  }

  std::optional<PendingCall> Take(uint64_t id) {
    if (Find(id) == nullptr) return std::nullopt;
    const auto index = static_cast<uint32_t>(id);
    free_.push_back(index);
    --size_;
    return std::exchange(slots_[index].call, std::nullopt);
  }

  std::vector<PendingCall> TakeAll() {
    std::vector<PendingCall> all;
    for (uint32_t index = 0; index < slots_.size(); ++index) {
      if (!slots_[index].call) continue;
      all.push_back(std::move(*slots_[index].call));
      slots_[index].call.reset();
      free_.push_back(index);
    }
    size_ = 0;
    return all;
  }

  size_t size() const { return size_; }

 private:
  struct Slot {
    uint32_t generation = 0;
    std::optional<PendingCall> call;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_CALL_TABLE_H_
