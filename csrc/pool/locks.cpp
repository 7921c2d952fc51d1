#include "locks.hpp"

#ifndef _WIN32
#include <pthread.h>
#endif

namespace fhe {
namespace {

Locks* make_locks() {
  static Locks* const both = new Locks;  // never destroyed: buffers may outlive static destruction
#ifndef _WIN32
  const auto lock = [] {
    both->tables.lock();
    both->pool.lock();
  };
  const auto unlock = [] {
    both->pool.unlock();
    both->tables.unlock();
  };
  pthread_atfork(lock, unlock, unlock);
#endif
  return both;
}

}  // namespace

Locks& locks() {
  static Locks* const both = make_locks();
  return *both;
}

}  // namespace fhe
