// Times sgemm of OpenBLAS over the shapes on standard input, one "transA transB
// m n k" a line, and prints one line for each: the kernels that OpenBLAS chose
// and the GFLOP/s of calls that last SECONDS (the argument) together.
// bench/gemm.py compiles and runs it.
#define _POSIX_C_SOURCE 200809L
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static float *matrix(size_t n) {
  float *x = malloc(n * sizeof *x);
  if (!x) {
    perror("gemm");
    exit(1);
  }
  for (size_t i = 0; i < n; i++) x[i] = (float)rand() / RAND_MAX - 0.5f;
  return x;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 0.2;
  int ta, tb, m, n, k;
  while (scanf("%d %d %d %d %d", &ta, &tb, &m, &n, &k) == 5) {
    float *a = matrix((size_t)m * k), *b = matrix((size_t)k * n), *c = matrix((size_t)m * n);
    double start = 0, end = 0;
    // The first call, which starts threads and touches memory, is not counted.
    int calls = -1;
    do {
      cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
      end = now();
      if (++calls == 0) start = end;
    } while (calls == 0 || end - start < seconds);
    printf("%s %.3f\n", openblas_get_corename(), 2.0 * m * n * k * calls / (end - start) / 1e9);
    free(a);
    free(b);
    free(c);
  }
}
