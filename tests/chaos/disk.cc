#include "tests/chaos/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "tests/chaos/command.h"

namespace dynamo::chaos {
namespace {

// _IOR('X', 125, __u32) of the kernel's fs/ext4/ext4.h, and "don't flush the log".
constexpr unsigned long kShutdown = 0x8004587d;
constexpr uint32_t kWithoutFlush = 2;

tl::unexpected<Error> Failed(const std::string& what) {
  return Fail(Errc::kInternal, fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

}  // namespace

Status Disk::Make(uint64_t bytes) {
  return Execute(
      fmt::format("truncate -s {0} {1} && mkfs.ext4 -q -m 0 {1} && mkdir -p {2}", bytes, image_, mount_point_));
}

Status Disk::Mount() { return Execute(fmt::format("mount -o loop,noatime {} {}", image_, mount_point_)); }
Status Disk::Unmount() { return Execute("umount " + mount_point_); }

Status Disk::CutPower() {
  const int folder = ::open(mount_point_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return Failed("open " + mount_point_);
  uint32_t how = kWithoutFlush;
  const bool cut = ::ioctl(folder, kShutdown, &how) == 0;
  const Status done = cut ? Status() : Failed("shut down the file system of " + mount_point_);
  ::close(folder);
  return done;
}

Status Disk::Fill() {
  const std::string path = mount_point_ + "/filler";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return Failed("create " + path);
  struct statvfs space = {};
  ::fstatvfs(file, &space);
  // In one go what is free now, then whatever is found while the node frees and takes.
  (void)::posix_fallocate(file, 0, static_cast<off_t>(space.f_bavail * space.f_frsize));
  ::lseek(file, 0, SEEK_END);
  const std::vector<char> block(64 << 10, 'f');
  while (::write(file, block.data(), block.size()) > 0) {
  }
  const bool full = errno == ENOSPC;
  ::close(file);
  return full ? Status() : Failed("fill " + mount_point_);
}

Status Disk::Free() { return Execute("rm -f " + mount_point_ + "/filler"); }

}  // namespace dynamo::chaos
