// What every C++ driver is: a process that takes one sample of one operation for each line it reads.
//
// A line is the name of an operation and numbers. The answer is "nanoseconds before after": the time of one call, a
// mean over a few milliseconds, and how many multiplications of the chain of `chains.hpp` ran in a nanosecond just
// before and just after. The line "facts" is answered by one line of JSON; a line that begins with "count" is for
// callgrind (`instructions.py`), and runs one call inside of `bench_counted`. A comparison asks several drivers in
// turn, so that whatever else the machine does meets all of them.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "chains.hpp"

namespace bench {

using Numbers = std::vector<std::uint64_t>;
using Call = std::function<void()>;

// The most memory that this process had so far.
inline long peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

constexpr double kSampleNanoseconds = 2e6;
constexpr int kBracket = 4000;

// One operation, warmed up, and how many calls make a sample.
struct Sampler {
  Call call;
  long calls = 0;

  void warm_up() {
    double spent = 0;
    for (long done = 0; done < 2 || spent < kSampleNanoseconds; ++done) {
      const double start = nanoseconds();
      call();
      const double took = nanoseconds() - start;
      spent += took;
      calls = std::max(1L, static_cast<long>(kSampleNanoseconds / took));
    }
  }

  void sample() const {
    for (long i = 0; i <= calls / 4; ++i) call();  // what other processes took of the cache is not its own
    const double before = chain_of_multiplications(kBracket), start = nanoseconds();
    for (long i = 0; i < calls; ++i) call();
    const double took = (nanoseconds() - start) / static_cast<double>(calls);
    std::printf("%.3f %.4f %.4f\n", took, before, chain_of_multiplications(kBracket));
  }
};

// Where instructions are counted.
extern "C" __attribute__((noinline)) inline void bench_counted(const Call& call) {
  call();
  __asm__ volatile("" ::: "memory");
}

// Answers lines until there are no more. make(operation, numbers) gives the call that a line asks for; an empty one
// where there is none, which ends the process. facts() is JSON.
template <class Make, class Facts>
int serve(const Make& make, const Facts& facts) {
  std::string line, current;
  Sampler sampler;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string operation;
    words >> operation;
    const bool count = operation == "count";
    if (count) words >> operation;
    if (line == "facts") {
      std::printf("%s\n", facts().c_str());
    } else {
      if (line != current) {
        Numbers numbers;
        for (std::uint64_t number; words >> number;) numbers.push_back(number);
        sampler = {};  // what the last operation held is given back first
        sampler.call = make(operation, numbers);
        if (!sampler.call) return std::fprintf(stderr, "no operation %s\n", line.c_str()), 1;
        sampler.warm_up();
        current = line;
      }
      count ? bench_counted(sampler.call) : sampler.sample();
      if (count) std::printf("counted\n");
    }
    std::fflush(stdout);
  }
  return 0;
}

// Rows of residues, each below its modulus.
inline std::vector<std::vector<std::uint64_t>> random_rows(const Numbers& moduli, std::size_t n) {
  std::vector<std::vector<std::uint64_t>> rows;
  std::uint64_t state = 1;
  for (std::uint64_t q : moduli) {
    rows.emplace_back(n);
    for (std::uint64_t& x : rows.back()) x = ((state = state * 6364136223846793005 + 1442695040888963407) >> 8) % q;
  }
  return rows;
}

}  // namespace bench
