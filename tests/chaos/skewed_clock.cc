// Loaded into a node before all other libraries: CLOCK_REALTIME is ahead by as many
// seconds as the file says that DYNAMO_CLOCK_STEP names; all other clocks are right.
//
// Asks the kernel itself and allocates nothing: it is called before the allocator
// works.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

using Step = std::atomic<int64_t>;
static_assert(Step::is_always_lock_free);
const Step kNoStep{0};

const Step* MapStep() {
  const char* const path = std::getenv("DYNAMO_CLOCK_STEP");
  if (path == nullptr) return &kNoStep;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return &kNoStep;
  void* const memory = ::mmap(nullptr, sizeof(Step), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return memory == MAP_FAILED ? &kNoStep : static_cast<const Step*>(memory);
}

int64_t StepNow() {
  static std::atomic<const Step*> step{nullptr};
  const Step* mapped = step.load(std::memory_order_acquire);
  if (mapped == nullptr) {
    // Twice at worst.
    mapped = MapStep();
    step.store(mapped, std::memory_order_release);
  }
  return mapped->load(std::memory_order_relaxed);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const long failed = ::syscall(SYS_clock_gettime, clock, now);
  if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += StepNow();
  return static_cast<int>(failed);
}

int gettimeofday(timeval* __restrict now, void* __restrict) noexcept {
  timespec exact = {};
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) noexcept {
  timespec exact = {};
  clock_gettime(CLOCK_REALTIME, &exact);
  if (out != nullptr) *out = exact.tv_sec;
  return exact.tv_sec;
}

}  // extern "C"
