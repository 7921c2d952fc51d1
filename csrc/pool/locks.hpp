// The two locks of the process, and what keeps a forked child from inheriting them locked.
#pragma once

#include <mutex>

namespace fhe {

// `tables` guards the caches of constants (NTT tables, conversions, permutations), `pool` the free blocks. A thread
// that builds constants allocates, so where both are held `tables` was taken first.
struct Locks {
  std::mutex tables;
  std::mutex pool;
};

// Fork waits for both locks, and parent and child go on with both free: a child of a busy process must be able to
// compute, and the thread that held a lock does not exist in it.
Locks& locks();

}  // namespace fhe
