// What the core does with secrets: each operation on a problem whose secret words are filled in from outside.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "random/sampling.hpp"
#include "ring/arithmetic.hpp"
#include "ring/automorphism.hpp"
#include "ring/basis.hpp"
#include "ring/division.hpp"
#include "ring/lift.hpp"
#include "ring/scale_round.hpp"
#include "rlwe/encryption.hpp"

namespace fhe::secrets {

// N = 1024, on a target, with the least roots of the primes.
inline Basis basis_of(const std::vector<u64>& moduli, const std::string& target) {
  std::vector<u64> roots;
  for (const u64 q : moduli)
    for (u64 x = 2;; ++x) {
      const u64 root = Modulus(q).pow(x, (q - 1) / 2048);
      if (Modulus(q).pow(root, 1024) != q - 1) continue;
      roots.push_back(root);
      break;
    }
  return Basis(1024, moduli, roots, target);
}

// Three primes of 46 bits; in key switching the first is special. And t, a prime of 17 bits.
struct Rings {
  Basis basis, plain;
};
inline const Rings& rings(const std::string& target) {
  static std::map<std::string, Rings> made;
  const auto found = made.find(target);
  if (found != made.end()) return found->second;
  const std::vector<u64> moduli{70368744067073, 70368744019969, 70368743974913};
  return made.emplace(target, Rings{basis_of(moduli, target), basis_of({65537}, target)}).first->second;
}
inline const Basis& basis(const std::string& target) { return rings(target).basis; }

// Residues that nobody need hide: of a public key, of a ciphertext, of a message's encoding.
inline Buffer open_residues(const Basis& q, std::size_t first = 0) {
  Buffer x({}, q.size() - first, q.ring_degree());
  u64 state = 1;
  for (std::size_t limb = first; limb < q.size(); ++limb)
    for (std::size_t k = 0; k < q.ring_degree(); ++k)
      x.row(0, limb - first)[k] = (state = state * 6364136223846793005 + 1442695040888963407) % q.modulus(limb).value;
  return x;
}

// An operation, what it takes of secret, and what it returns that is secret.
struct Operation {
  enum class Takes { words, residues, integers } takes;
  std::function<void(const Basis&, const std::vector<u64>& words, const Buffer& residues)> run;
};

using Takes = Operation::Takes;
using Words = std::vector<u64>;
using Operations = std::map<std::string, Operation>;

inline Stream stream(const Words& words) {
  return {reinterpret_cast<const unsigned char*>(words.data()), 8 * words.size()};
}

// An operation on secret residues alone.
template <class Body>
Operation on_residues(const Body& body) {
  return {Takes::residues, [body](const Basis& q, const Words&, const Buffer& s) { body(q, s); }};
}
template <class Body>
Operation on_words(const Body& body, Takes takes = Takes::words) {
  return {takes, [body](const Basis& q, const Words& words, const Buffer&) { body(q, words); }};
}

// Under a public key over the first, special prime and the others: the keystream is secret, and the message.
inline void encrypted(const Basis& q, const Words& words, const Buffer& residues) {
  const std::size_t N = q.ring_degree();
  EncryptionStreams streams;
  for (std::size_t i = 0; i < 3; ++i)
    streams[i] = {reinterpret_cast<const unsigned char*>(words.data() + i * N), 8 * N};
  encrypt(q, 1, open_residues(q), open_residues(q), streams, residues.slice(1, q.size()));
}

// Of keys, encryption and decryption: samples, transforms, a s + e, sums, multiples and images of the secret, division
// by p; and the secret of a file.
inline Operations hidden() {
  const auto integers = [](const Words& words) { return reinterpret_cast<const i64*>(words.data()); };
  return {
      {"ternary", on_words([](const Basis& q, const Words& words) { ternary(q, stream(words)); })},
      {"centred_binomial", on_words([](const Basis& q, const Words& words) { centred_binomial(q, stream(words)); })},
      {"reduce", on_words([=](const Basis& q, const Words& w) { reduce(q, {}, integers(w)); }, Takes::integers)},
      {"encrypt", Operation{Takes::words, encrypted}},
      {"ntt", on_residues([](const Basis& q, const Buffer& s) { ntt(q, s); })},
      {"intt", on_residues([](const Basis& q, const Buffer& s) { intt(q, s); })},
      {"mul", on_residues([](const Basis& q, const Buffer& s) { mul(q, s, s); })},
      {"mul_add", on_residues([](const Basis& q, const Buffer& s) { mul_add(q, open_residues(q), s, s); })},
      {"add", on_residues([](const Basis& q, const Buffer& s) { add(q, open_residues(q), s); })},
      {"neg", on_residues([](const Basis& q, const Buffer& s) { neg(q, s); })},
      {"mul_scalar", on_residues([](const Basis& q, const Buffer& s) { mul_scalar(q, s, {3, 5, 7}); })},
      {"automorphism_eval", on_residues([](const Basis& q, const Buffer& s) { automorphism_eval(q, s, 5); })},
      {"divide_round_eval", on_residues([](const Basis& q, const Buffer& s) { divide_round_eval(q, 1, 3, s); })},
      {"divide_round_sum",
       on_residues([](const Basis& q, const Buffer& s) { divide_round_sum(q, 1, 1, 3, s, open_residues(q, 1)); })},
      {"scale_round", on_residues([](const Basis& q, const Buffer& s) {
         std::vector<double> rest(q.ring_degree());
         scale_round(q, rings(q.kernels(0).name).plain, s, rest.data());
       })},
      {"lift", on_residues([](const Basis& q, const Buffer& s) {
         std::vector<double> out(q.ring_degree());
         lift(q, s, out.data());
       })},
  };
}

// What takes its time by what it is given, and says so: what public seeds expand to; and, to be seen by whoever looks,
// a plain branch.
inline Operations open() {
  return {
      {"uniform", on_words([](const Basis& q, const Words& words) { uniform(q, stream(words)); })},
      {"branch", on_words([](const Basis&, const Words& words) {
         volatile u64 steps = 0;
         for (const u64 word : words)
           if (word % 4 == 0) steps = steps + 1;
       })},
  };
}

inline Operations operations() {
  Operations all = hidden();
  all.merge(open());
  return all;
}

}  // namespace fhe::secrets
