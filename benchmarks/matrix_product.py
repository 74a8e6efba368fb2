"""The rate of this machine's float32 matrix products, in GFLOP/s.

    OPENBLAS_NUM_THREADS=1 python benchmarks/matrix_product.py

NumPy multiplies two 2048 x 2048 matrices; the best of five counts.
`inference.py` takes this rate as the upper bound of a network's.
"""

import time

import numpy as np

_SIDE = 2048
_CALLS = 5


def rate():
    """Operations per second; a multiplication and an addition count as two."""
    rng = np.random.default_rng(0)
    a, b = rng.random((2, _SIDE, _SIDE), "float32")
    product = np.matmul(a, b)
    best = np.inf
    for _ in range(_CALLS):
        start = time.perf_counter()
        np.matmul(a, b, out=product)
        best = min(best, time.perf_counter() - start)
    return 2 * _SIDE**3 / best


if __name__ == "__main__":
    print(f"{rate() / 1e9:.2f}")
