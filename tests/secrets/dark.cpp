// Every operation on secrets whose bytes are marked undefined: memcheck reports each branch and each address that
// depends on one. (A. Langley's ctgrind.) Prints the number of reports for each operation.
//
//   valgrind --error-limit=no dark TARGET
#include <valgrind/memcheck.h>

#include <cstdio>

#include "operations.hpp"

using namespace fhe;

int main(int, char** arguments) {
  const Basis& q = secrets::basis(arguments[1]);
  const secrets::Operations all = secrets::operations();
  for (const auto& [name, operation] : all) {
    const Buffer open = secrets::open_residues(q);
    operation.run(q, std::vector<u64>(q.size() * uniform_words(q.ring_degree()), 1), open);  // constants are made
    std::vector<u64> words(q.size() * uniform_words(q.ring_degree()), 1);
    Buffer residues = secrets::open_residues(q);
    VALGRIND_MAKE_MEM_UNDEFINED(words.data(), 8 * words.size());
    VALGRIND_MAKE_MEM_UNDEFINED(residues.data(), 8 * residues.words());
    const unsigned before = VALGRIND_COUNT_ERRORS;
    operation.run(q, words, residues);
    std::printf("%s %u\n", name.c_str(), VALGRIND_COUNT_ERRORS - before);
    std::fflush(stdout);
  }
}
