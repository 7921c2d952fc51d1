// What the fuzzed entries share: bytes as numbers, small bases, what must be true, and the account of memory.
//
// An entry is a function LLVMFuzzerTestOneInput, as libFuzzer calls it; replay.cpp calls it without libFuzzer. It may
// throw nothing but what the core promises, std::invalid_argument and std::length_error, and what it returns is
// checked.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "ring/basis.hpp"

namespace fhe::fuzz {

// Ends the process, which the fuzzer counts as a crash and keeps the input of.
inline void require(bool truth, const char* what) {
  if (truth) return;
  std::fprintf(stderr, "not true: %s\n", what);
  std::abort();
}

// Foreign bytes, read as numbers; 0 once they are used up.
class Source {
 public:
  Source(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::size_t below(std::size_t limit) { return word(limit <= 256 ? 1 : 2) % limit; }
  u64 word(std::size_t bytes = 8) {
    u64 value = 0;
    for (std::size_t i = 0; i < bytes && size_ != 0; ++i, ++data_, --size_) value |= u64{*data_} << 8 * i;
    return value;
  }
  bool empty() const { return size_ == 0; }
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

// A basis of up to six primes of 17 to 50 bits, N from 8 to 128, on the best target of this CPU or on the portable one.
const Basis& small_basis(Source& source);
// A basis of these primes of the list, all 1 mod 256, made once.
const Basis& small_basis(std::size_t log_degree, std::size_t first, std::size_t count, bool portable);
constexpr std::size_t kPrimes = 9;

// Whether all residues are below their primes; limbs beyond the basis are not looked at.
bool reduced(const Basis& basis, const Buffer& x);

// A polynomial whose residues are foreign words, reduced.
Buffer polynomial(const Basis& basis, Source& source, Axes leading = {});

// Counts what is allocated while it lives; at its end not more than 4 times the input and `tables` may have been.
class Account {
 public:
  Account(std::size_t input, std::size_t tables);
  ~Account();

 private:
  std::size_t four_inputs_, tables_;
};

// Calls body, which may throw what the core promises.
template <class Body>
bool refused(const Body& body) {
  try {
    body();
  } catch (const std::invalid_argument&) {
    return true;
  } catch (const std::length_error&) {
    return true;
  }
  return false;
}

}  // namespace fhe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
