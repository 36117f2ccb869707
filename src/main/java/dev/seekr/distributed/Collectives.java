package dev.seekr.distributed;

import dev.seekr.tensor.Tensor;

/**
 * What the processes of a run do together. Each takes a part of every step's samples; what a step
 * is comes from sums over all of them, which have the same bits in each process.
 */
public interface Collectives {
  /** A run of one process. */
  Collectives ALONE =
      new Collectives() {
        @Override
        public int rank() {
          return 0;
        }

        @Override
        public int ranks() {
          return 1;
        }

        @Override
        public long[] sum(long[] counts) {
          return counts;
        }

        @Override
        public double[] sum(double[] values) {
          return values;
        }

        @Override
        public void sum(Tensor flat) {}

        @Override
        public void broadcast(Tensor flat) {}

        @Override
        public boolean any(boolean wish) {
          return wish;
        }

        @Override
        public void barrier() {}
      };

  /** This process, from 0. */
  int rank();

  int ranks();

  /** Of each element over all processes. */
  long[] sum(long[] counts);

  double[] sum(double[] values);

  /** In place, of each element over all processes, in the order of ranks. */
  void sum(Tensor flat);

  /** Makes a tensor what it is in process 0. */
  void broadcast(Tensor flat);

  /** Whether some process wishes it. */
  boolean any(boolean wish);

  /** Waits for all. */
  void barrier();
}
