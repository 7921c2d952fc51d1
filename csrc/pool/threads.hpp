// A small pool of threads for loops whose iterations write different rows.
//
// One loop at a time is spread over the workers; a loop that meets a busy pool (a call from another Python thread, or
// a loop inside a loop) runs on its own thread. Either way each row is computed by the same instructions, so results
// do not depend on the number of threads. A forked child starts with one thread and without workers.
#pragma once

#include <cstddef>

namespace fhe {

// Threads that a loop may use, the calling one included; at least 1.
std::size_t num_threads() noexcept;
// Workers are started by the first loop that wants them and end with the process or with a smaller number.
void set_num_threads(std::size_t threads);

// A loop body without its type: call(body, i) runs iteration i.
struct Loop {
  void (*call)(const void* body, std::size_t i);
  const void* body;
};

// Runs every iteration 0 <= i < count, and rethrows the first exception that one of them threw.
void run_loop(const Loop& loop, std::size_t count);

}  // namespace fhe
