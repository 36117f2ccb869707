package dev.seekr.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Where tensors lie: on the host, or on a device whose memory Java cannot read, so that everything
 * goes through copies. A segment of a device holds an address and a size and must not be accessed.
 */
public interface Place {
  /** This process's own memory. */
  Place HOST =
      new Place() {
        @Override
        public MemorySegment allocate(long bytes, Arena arena) {
          // Cache lines, and the widest vectors, are 64 bytes.
          return arena.allocate(Math.max(bytes, 1), 64).asSlice(0, bytes);
        }

        @Override
        public void copyIn(MemorySegment to, MemorySegment from) {
          to.copyFrom(from);
        }

        @Override
        public void copyOut(MemorySegment to, MemorySegment from) {
          to.copyFrom(from);
        }

        @Override
        public void copy(MemorySegment to, MemorySegment from) {
          to.copyFrom(from);
        }

        @Override
        public void zero(MemorySegment memory) {
          memory.fill((byte) 0);
        }

        @Override
        public String toString() {
          return "the host";
        }
      };

  /** Zeroed memory that is freed when {@code arena} is closed. */
  MemorySegment allocate(long bytes, Arena arena);

  /** From the host into memory of this place; of equal size. {@code from} may change afterwards. */
  void copyIn(MemorySegment to, MemorySegment from);

  /** From this place to the host, when all work before has been done; of equal size. */
  void copyOut(MemorySegment to, MemorySegment from);

  /** From this place to itself, of equal size. */
  void copy(MemorySegment to, MemorySegment from);

  void zero(MemorySegment memory);

  /** Whether what is copied here stays; else nobody need convert it. */
  default boolean holds() {
    return true;
  }

  /** Where what is allocated here is booked. */
  default Ledger ledger() {
    return Ledger.PROCESS;
  }

  /** What lies beside this place: itself where it is the host. */
  default Place host() {
    return HOST;
  }

  /** Zeroed memory of {@link #host} that {@link #leave} and {@link #come} may be given. */
  default MemorySegment allocateBeside(long bytes, Arena arena) {
    return host().allocate(bytes, arena);
  }

  /**
   * Begins a copy to the host of what has been called for so far, and goes on.
   *
   * @param to of {@link #allocateBeside}; of equal size
   * @return waits until the copy is there; only then may {@code from} be written to again
   */
  default Runnable leave(MemorySegment to, MemorySegment from) {
    copyOut(to, from);
    return () -> {};
  }

  /**
   * Begins a copy from the host, which all that is called for afterwards sees, and goes on.
   *
   * @param from of {@link #allocateBeside}; of equal size
   * @return waits until {@code from} has been read
   */
  default Runnable come(MemorySegment to, MemorySegment from) {
    copyIn(to, from);
    return () -> {};
  }

  /** Copies on their way to a place while it computes; see {@link #ahead}. */
  interface Ahead {
    /** All work called for from now on may read what was prepared. */
    void join();
  }

  /**
   * Runs {@code prepare}, which allocates here and copies to what it allocated. Where a place can,
   * these copies go on while it computes what is called for afterwards, which must not touch that
   * memory before {@link Ahead#join}. Where nothing is won by it, {@code prepare} runs only then.
   */
  default Ahead ahead(Runnable prepare) {
    return prepare::run;
  }
}
