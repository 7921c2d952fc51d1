#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "locks.hpp"

#ifndef _WIN32
#include <pthread.h>
#endif
#ifdef __linux__
#include <sched.h>
#include <unistd.h>
#endif

namespace fhe {
namespace {

// Where a thread runs. After a pause a system may wake a worker on the very core of who woke it, and leave both there
// for tens of milliseconds (seen in a virtual machine). It keeps away from that core then, until both meet on a new
// one.
struct Place {
#ifdef __linux__
  int core = sched_getcpu();
  pid_t thread = gettid();

  void leave_to_its_owner() const {
    if (core < 0 || core != sched_getcpu()) return;
    cpu_set_t others;
    if (sched_getaffinity(thread, sizeof others, &others) != 0) return;
    CPU_CLR(static_cast<std::size_t>(core), &others);
    if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof others, &others);
  }
#else
  void leave_to_its_owner() const {}
#endif
};

// One loop in flight: its iterations are handed out one by one, whoever is free takes the next.
struct Job {
  Loop loop;
  std::size_t count;
  Place asked_from{};
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error{};  // written once, by who sets `failed`

  void work() noexcept {
    for (std::size_t i; !failed && (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      try {
        loop.call(loop.body, i);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  }
};

// Waking a sleeper takes longer than many a loop, so who waits stays awake for a while, giving way to others.
template <class Condition>
void linger(const Condition& over) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  while (!over() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

class Workers {
 public:
  // Held by the thread whose loop is spread; the others compute alone.
  std::mutex busy;

  ~Workers() { resize(0); }

  void resize(std::size_t count) {
    {
      const std::lock_guard<std::mutex> guard(state_);
      stopping_ = threads_.size() > count;
    }
    if (threads_.size() > count) {
      wake_.notify_all();
      for (std::thread& thread : threads_) thread.join();
      threads_.clear();
      stopping_ = false;
    }
    while (threads_.size() < count) threads_.emplace_back([this] { serve(); });
  }

  void run(Job& job) {
    {
      const std::lock_guard<std::mutex> guard(state_);
      job_ = &job;
      ++generation_;
    }
    wake_.notify_all();
    job.work();
    std::unique_lock<std::mutex> lock(state_);
    job_ = nullptr;  // who has not begun need not
    lock.unlock();
    linger([this] { return active_ == 0; });
    lock.lock();
    done_.wait(lock, [this] { return active_ == 0; });
  }

 private:
  void serve() {
    std::unique_lock<std::mutex> lock(state_);
    for (std::size_t seen = 0;;) {
      lock.unlock();
      linger([&] { return stopping_ || generation_ != seen; });
      lock.lock();
      wake_.wait(lock, [&] { return stopping_ || (job_ != nullptr && generation_ != seen); });
      if (stopping_) return;
      seen = generation_;
      Job& job = *job_;
      ++active_;
      lock.unlock();
      job.asked_from.leave_to_its_owner();
      job.work();
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  std::mutex state_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  Job* job_ = nullptr;
  // Changed under the lock; read without it by who lingers.
  std::atomic<std::size_t> generation_{0}, active_{0};
  std::atomic<bool> stopping_{false};
};

std::atomic<std::size_t> wanted{1};
Workers* workers = nullptr;  // never destroyed at exit: loops may outlive static destruction
thread_local bool inside = false;

Workers& make_workers() {
#ifndef _WIN32
  // The child of a fork has none of the threads: it forgets them and starts again, with one. Of handlers registered
  // later the first part runs earlier: loops end before the locks are taken that they need.
  locks();
  static const int registered = pthread_atfork([] { workers->busy.lock(); }, [] { workers->busy.unlock(); },
                                               [] {
                                                 workers = new Workers;
                                                 wanted = 1;
                                               });
  static_cast<void>(registered);
#endif
  return *new Workers;
}

Workers& pool() {
  static Workers* const first = workers = &make_workers();
  static_cast<void>(first);
  return *workers;
}

void run_alone(const Loop& loop, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) loop.call(loop.body, i);
}

}  // namespace

std::size_t num_threads() noexcept { return wanted; }

void set_num_threads(std::size_t threads) {
  const std::lock_guard<std::mutex> guard(pool().busy);
  wanted = std::max<std::size_t>(threads, 1);
  if (wanted == 1) pool().resize(0);
}

void run_loop(const Loop& loop, std::size_t count) {
  if (wanted == 1 || count < 2 || inside) return run_alone(loop, count);
  Workers& all = pool();
  const std::unique_lock<std::mutex> guard(all.busy, std::try_to_lock);
  if (!guard.owns_lock()) return run_alone(loop, count);
  all.resize(wanted - 1);
  Job job{loop, count};
  inside = true;
  all.run(job);
  inside = false;
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace fhe
