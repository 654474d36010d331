#include "base/block_pool.h"

#include <utility>
#include <vector>

namespace sluice {
namespace {

constexpr std::size_t kept = 64;  // 1 MiB a thread at most

struct Pool {
  std::vector<char*> free;
  bool alive = true;
  ~Pool() {
    alive = false;
    for (char* data : free) delete[] data;
  }
};
thread_local Pool pool;

}  // namespace

Block Block::acquire() {
  Block block;
  if (pool.free.empty()) {
    block.data_.reset(new char[block_size + block_tail]);
  } else {
    block.data_.reset(pool.free.back());
    pool.free.pop_back();
  }
  return block;
}

void Block::Recycle::operator()(char* data) const noexcept {
  if (!pool.alive || pool.free.size() >= kept) {
    delete[] data;
    return;
  }
  pool.free.push_back(data);
}

}  // namespace sluice
